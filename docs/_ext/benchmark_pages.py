"""The files of benchmarks/ are pages of the site as they are.

Pages link to where they lie in the repository, so that the links work without the site, too.
"""

import re
import shutil
from pathlib import Path

HERE = Path(__file__).parents[1]
FOLDERS = ("accuracy", "papers", "results")
_LINK = re.compile(rf"\]\(\.\./\.\./(benchmarks/(?:{'|'.join(FOLDERS)})/)")


def copy_pages(app) -> None:
    for folder in FOLDERS:
        there = HERE / "benchmarks" / folder
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(HERE.parent / "benchmarks" / folder, there)


def follow_pages(app, name: str, source: list[str]) -> None:
    """Links to the files as links to their copies."""
    text = source[0].replace("](../../benchmarks/README.md", "](../benchmarks/index.md")
    text = text.replace("](../../docs/", "](../../")
    source[0] = _LINK.sub(r"](../\1", text)


def setup(app):
    app.connect("builder-inited", copy_pages)
    app.connect("source-read", follow_pages)
    return {"parallel_read_safe": True}
