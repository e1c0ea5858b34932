"""The small version of ICLRec's Table 1, made by its command, and its page in a browser."""

import csv
import os
import shutil
import subprocess
import sys

import pytest

from ..documents import ROOT
from ..reports.page_tables import PageTables

pytestmark = pytest.mark.browser

LABELS = ["Transitions", "SASRec", "CL4SRec", "ICLRec"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As with ``make table``, in a tenth of the time."""
    folder = tmp_path_factory.mktemp("table")
    source = (ROOT / "pipelines" / "iclrec_table_1.py").read_text()
    shorter = source.replace('"epochs": 8', '"epochs": 1, "hidden_dim": 16')
    assert shorter != source
    (folder / "iclrec_table_1.py").write_text(shorter)
    shutil.copy(ROOT / "pipelines" / "iclrec_paper.py", folder)
    command = [sys.executable, folder / "iclrec_table_1.py", "--small", "--output", folder / "runs"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert f"Page: {folder / 'runs' / 'iclrec_table_1.html'}" in said.stdout
    return folder / "runs"


def test_the_table_has_all_models(folder):
    page = PageTables.of(folder / "iclrec_table_1.html")
    header, *rows = page["completejourney: test"]
    assert header == ["", "HR@5", "HR@20", "NDCG@5", "NDCG@20"]
    assert [row[0] for row in rows] == LABELS
    with (folder / "iclrec_table_1.csv").open() as file:
        figures = {(one["model"], one["metric"]): one["value"] for one in csv.DictReader(file)}
    for label, *cells in rows:
        expected = [f"{float(figures[label, metric]):.4f}" for metric in header[1:]]
        assert [cell[:6] for cell in cells] == expected
    tested = page["completejourney: against the best baseline"]
    assert [row[:2] for row in tested[1:]] == [["ICLRec", metric] for metric in header[1:]]


def test_the_page_is_sound_and_readable(folder, browser_page, look):
    opened = browser_page(folder / "iclrec_table_1.html", **look)
    opened.check_sound()
    assert opened.overlaps() == []
    page = opened.page
    assert page.locator("svg[role=img]").count() == 1
    assert page.get_by_role("heading", level=1).text_content().startswith("ICLRec, Table 1")
    table = page.get_by_role("table", name="completejourney: test", exact=True)
    assert table.is_visible()
    size = table.locator("td").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert size >= 12
    # Names of rows stay in sight beside the last figures.
    table.evaluate("one => one.parentElement.scrollTo(1000, 0)")
    row = table.get_by_role("row", name="ICLRec")
    name, *_, last = row.locator("th, td").all()
    assert 0 <= name.bounding_box()["x"] < last.bounding_box()["x"]
    assert last.bounding_box()["x"] + last.bounding_box()["width"] <= look["width"]
