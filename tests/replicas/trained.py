"""Trainings over replicas, and what they leave behind."""

import json
from pathlib import Path

import numpy as np

from ..small_runs import read_history
from .processes import finish, start

SETTINGS = {
    "hidden_dim": 16,
    "max_length": 20,
    "batch_size": 64,
    "epochs": 2,
    "learning_rate": 1e-2,
    # What drops out is drawn by each replica for itself.
    "dropout": 0.0,
    "seed": 3,
}
TRAINING = Path(__file__).parent / "training.py"


def train(output, settings, processes=1, devices=1):
    """Train in so many processes, each with so many devices."""
    command = [TRAINING, json.dumps(settings), output, devices]
    for code, _, errors in finish(start(command, processes)):
        assert code == 0, errors


def check_same(output, alone):
    """Both trainings had the same figures in each epoch, and all replicas have the same weights."""
    rows = list(zip(read_history(output), read_history(alone), strict=True))
    assert rows
    for row, expected in rows:
        assert row.keys() == expected.keys()
        for name in row.keys() - {"seconds", "intent_seconds"}:
            # A rounding can turn two of the ranks around that these are means of.
            atol = 1e-4 if name.startswith("val_") else 0
            np.testing.assert_allclose(
                float(row[name]), float(expected[name]), rtol=1e-4, atol=atol, err_msg=name
            )
    first, second = (np.load(output / f"weights_{replica}.npz") for replica in (0, 1))
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name])
