"""A small experiment on a small log."""

import numpy as np
import pytest

from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.experiments import Dataset, Experiment, Row, command, paper_figures, training
from tf_iclrec.experiments.store import Store
from tf_iclrec.files import write_json

from ..small_runs import write_sequence_file

RANKS = {"Counts": [[1, 9, 30, 2, 7, 40]], "EASE": [[4, 9, 30, 2, 7, 40]]}
RANKS["SASRec"] = [[1, 3, 11, 1, 6, 30], [1, 2, 12, 1, 4, 60]]
TINY = {"hidden_dim": 8, "num_blocks": 1, "max_length": 8, "epochs": 2}


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


def in_turn(trials, store, jobs):
    """`run_trials` without processes, which take seconds to start."""
    failed = {}
    for trial in trials:
        try:
            training.finish(trial, store)
        except Exception as error:
            failed[trial.name] = training._why(error)
    return failed


@pytest.fixture
def in_this_process(monkeypatch):
    monkeypatch.setattr(command, "run_trials", in_turn)


def finish(store, trial, ranks, **measured):
    """What a finished training leaves."""
    path = store.run(trial).path
    path.mkdir()
    np.savez(path / "ranks.npz", test=np.array(ranks), valid=np.array(ranks))
    write_json(path / "metrics.json", {"test": metrics_of_ranks(ranks)})
    for one in trial.measurements:
        write_json(path / one.file, measured[one.name])
    write_json(path / "trial.json", trial.identity | {"seconds": 90.0})


@pytest.fixture
def found(experiment, sequences, tmp_path):
    store = Store(tmp_path / "runs")
    store.open()
    trials = experiment.trials(sequences)
    for row, of_seeds in RANKS.items():
        own = [one for one in trials if one.row == row]
        for trial, ranks in zip(own, of_seeds, strict=True):
            finish(store, trial, ranks)
    return experiment, trials, store
