"""An experiment as its users run it."""

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from tf_iclrec.experiments import Row, run_experiment
from tf_iclrec.experiments import command as command_module

from ..documents import ROOT
from .conftest import TINY, in_turn


def run(experiment, *arguments):
    """Its exit code."""
    try:
        run_experiment(experiment, [*map(str, arguments)])
    except SystemExit as stopped:
        return stopped.code
    return 0


def test_a_failing_row_says_why_and_the_others_are_trained(
    experiment, sequences, in_this_process, tmp_path, capsys
):
    too_many = Row("many", "Many intents", "iclrec", {"num_intents": (5000,)})
    rows = (experiment.rows[0], too_many, experiment.rows[1])
    experiment = dataclasses.replace(experiment, rows=rows, seeds=(0,))
    arguments = ("--data", sequences, "--output", tmp_path / "runs")
    assert run(experiment, *arguments) == 1
    said = capsys.readouterr()
    assert said.err == "error: 1 training failed; the page says why.\n"
    text = (tmp_path / "runs" / "tiny.md").read_text()
    assert "| Many intents | failed |" in text
    assert "5000" in text[text.index("Walks: failed") :]
    assert "| EASE | 0." in text
    # What is there is kept.
    trained = sorted((tmp_path / "runs" / "trials").glob("*/model.keras"))
    times = [path.stat().st_mtime_ns for path in trained]
    assert len(times) == 2
    assert run(experiment, *arguments) == 1
    assert [path.stat().st_mtime_ns for path in trained] == times


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "sasrek"], "Unknown model 'sasrek': did you mean 'sasrec'?"),
        ([], "Walks needs walks.txt, not found without --data. The test writes it."),
        (["--data", "nowhere"], "No such folder: nowhere"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--seedz", "1"], "Unknown option --seedz: did you mean '--seeds'?"),
        (["--small"], "Unknown option --small"),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(
    experiment, arguments, message, tmp_path, capsys
):
    assert run(experiment, "--output", tmp_path / "runs", *arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "runs").exists()


SETTINGS = TINY | {"epochs": 12}
ROWS = Row("sasrec_published", "SASRec"), Row("iclrec_published", "Many", "", {"num_intents": 5000})
SCRIPT = f"""
from tf_iclrec.experiments import Dataset, Experiment, Row, run_experiment

rows = {ROWS}
data = Dataset("Walks", "walks.txt"),
if __name__ == "__main__":
    run_experiment(Experiment("tiny", "Tiny", data, rows, settings={SETTINGS}))
"""


@pytest.mark.slow
def test_killed_and_continued_it_ends_with_the_same_table(
    experiment, sequences, tmp_path, monkeypatch, capfd
):
    script = tmp_path / "tiny.py"
    script.write_text(SCRIPT)
    command = [sys.executable, script, "--data", sequences, "--output", tmp_path / "killed"]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    ) as process:
        [history] = wait_for(lambda: [*tmp_path.glob("killed/trials/*sasrec*/history.csv")])
        wait_for(lambda: history.read_text().count("\n") > 2)
        process.kill()
    # Its trainings end with it.
    before = wait_for(lambda: unchanged(history))
    assert 2 < before.count("\n") < 13
    tiny = dataclasses.replace(
        experiment, title="Tiny", rows=ROWS, settings=SETTINGS, seeds=(0,), paper={}
    )
    assert run(tiny, "--data", sequences, "--output", tmp_path / "killed", "--jobs", 2) == 1
    said = capfd.readouterr()
    assert "Trainings: 2, of which are there: 0" in said.out
    assert "SASRec on Walks, seed 0: trained" in said.out
    # What processes say is in their logs.
    assert "Many on Walks, seed 0: failed: " in said.out
    assert said.err == "error: 1 training failed; the page says why.\n"
    assert "Resuming after epoch" in history.parent.with_suffix(".log").read_text()
    assert history.read_text().startswith(before)
    monkeypatch.setattr(command_module, "run_trials", in_turn)
    assert run(tiny, "--data", sequences, "--output", tmp_path / "whole") == 1
    for name in ("tiny.csv", "tiny.md"):
        one, other = ((tmp_path / folder / name).read_text() for folder in ("killed", "whole"))
        # All but the minutes.
        assert one.partition("## What it took")[0] == other.partition("## What it took")[0]


def wait_for(found, seconds=120):
    """What ``found`` gives as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def unchanged(path):
    """The text of a file that nobody writes any more."""
    text = path.read_text()
    time.sleep(1.5)
    return text if path.read_text() == text else ""


def test_rows_that_are_asked_for_others_are_not_paired(
    experiment, sequences, in_this_process, tmp_path
):
    """As many users, but others; and fewer of the same."""
    rows = (
        Row("short", "Short", "transitions", {"users_by_length": "1/2"}, baseline=True),
        Row("long", "Long", "ease", {"users_by_length": "2/2"}),
        Row("few", "Few", "ease", {"users_by_length": "1/2", "evaluation_users": 10}),
        Row("alike", "Alike", "ease", {"users_by_length": "1/2"}),
    )
    experiment = dataclasses.replace(experiment, rows=rows, seeds=(0,), paper={})
    assert run(experiment, "--data", sequences, "--output", tmp_path / "runs") == 0
    text = (tmp_path / "runs" / "tiny.md").read_text()
    assert "asked for the same items of the same users: Long, Few." in text
    tests = text[text.index("against the best baseline**") :]
    assert "| Alike | HR@5 | Short |" in tests
    assert "| Long | HR@5 | Short" not in tests
    assert "| Few | HR@5 | Short" not in tests
