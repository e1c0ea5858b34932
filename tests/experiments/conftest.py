"""A small experiment on a small log."""

import pytest

from tf_iclrec.experiments import Dataset, Experiment, Row, command, paper_figures, training
from tf_iclrec.experiments.training import finish

from ..small_runs import write_sequence_file

TINY = {"num_members": 1, "hidden_dim": 8, "num_blocks": 1, "max_length": 8, "epochs": 2}


@pytest.fixture(scope="session")
def sequences(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    (folder / "below").mkdir()
    write_sequence_file(folder / "below" / "walks.txt")
    return folder


@pytest.fixture
def experiment():
    return Experiment(
        "tiny",
        "A tiny table",
        datasets=(Dataset("Walks", "walks.txt", source="The test writes it."),),
        rows=(
            Row("transitions", "Counts", baseline=True),
            Row("ease", "EASE", baseline=True),
            Row("sasrec", "SASRec"),
        ),
        settings=TINY,
        seeds=(0, 1),
        paper=paper_figures(["Counts", "EASE", "SASRec"], "Walks HR@5 0.1 - 0.1234±0.0011"),
    )


@pytest.fixture
def in_this_process(monkeypatch):
    """Trainings without processes of their own, which take seconds to start."""

    def run_trials(trials, store, jobs):
        failed = {}
        for trial in trials:
            try:
                finish(trial, store)
            except Exception as error:
                failed[trial.name] = training._why(error)
        return failed

    monkeypatch.setattr(command, "run_trials", run_trials)
