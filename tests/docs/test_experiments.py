"""The script of the page on experiments, as its reader would run it."""

import csv
import os
import shutil
import subprocess
import sys

import pytest

from ..documents import ROOT, blocks_of

PAGE = ROOT / "docs" / "guides" / "experiments.md"


@pytest.mark.docs
def test_a_model_of_ones_own_in_a_table(shop, tmp_path):
    script, command = [
        block.code
        for block in blocks_of(PAGE.read_text())
        if "run_experiment(" in block.code or "mine.py" in block.code
    ]
    shutil.copy(shop / "log.csv", tmp_path)
    (tmp_path / "mine.py").write_text(script)
    command = [sys.executable, *command.split()[1:]]
    subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    with (tmp_path / "runs" / "tables" / "mine.csv").open() as file:
        figures = [*csv.DictReader(file)]
    assert {(one["model"], one["seed"]) for one in figures} == {
        ("Counts", ""),
        *((model, seed) for model in ("SASRec", "Last item") for seed in "01"),
    }
    assert "Last item" in (tmp_path / "runs" / "tables" / "mine.html").read_text()
