"""What the guides say is run, word for word, on a small log."""

import re
import shutil

import pytest

from ..documents import ROOT, blocks_of, run_page

PAGES = sorted(
    path
    for path in (ROOT / "docs").glob("**/*.md")
    if path.parent.name not in ("_build", "notebooks", "accuracy", "results")
    and any(block.language in ("sh", "python") for block in blocks_of(path.read_text()))
)


@pytest.mark.docs
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_block_of_a_page_runs(page, shop, tmp_path, monkeypatch):
    text = page.read_text()
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    # What the page makes itself is not there yet.
    for made in re.findall(r"--output (\S+)", text):
        shutil.rmtree(folder / made, ignore_errors=True)
    monkeypatch.chdir(folder)
    run_page(text)
