"""Runs on a small log, and what they leave behind."""

import csv

import pytest

from tf_iclrec import fit
from tf_iclrec.config import resolve
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.synthetic import planted_intents

from .interruption import interrupted

SMALL = {
    "hidden_dim": 16,
    "num_blocks": 1,
    "sequence_weight": 0.1,
    "num_intents": (6,),
    "max_length": 20,
    "batch_size": 64,
    "epochs": 3,
    "learning_rate": 1e-2,
    "filter_seen": False,
    "seed": 3,
}
# For what is the same of all models that are trained in epochs: a user has a vector, and that is
# all there is to it.
QUICK = {
    "model": "bpr_mf",
    **{name: SMALL[name] for name in ("hidden_dim", "max_length", "batch_size", "epochs")},
    **{name: SMALL[name] for name in ("learning_rate", "filter_seen", "seed")},
}


def write_log(folder):
    write_prepared(planted_intents(num_users=200, num_items=60, num_intents=6)[0], folder)
    return str(folder)


def write_sequence_file(path):
    """The same log as lines of ``user item item ...``."""
    log, _ = planted_intents(num_users=200, num_items=60, num_intents=6)
    rows = [
        " ".join([str(user + 1), *(str(item - 2) for item in log.item_ids[start:end])])
        for user, (start, end) in enumerate(zip(log.offsets, log.offsets[1:], strict=False))
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def changed(config, **settings):
    """The configuration with some other settings, as ``--config`` and options make it."""
    return resolve(config.model, settings, config.options())


def read_history(output):
    with (output / "history.csv").open() as file:
        return list(csv.DictReader(file))


def accuracy_of(run):
    """What `evaluate_held_out` says of a run."""
    return {part: run.metrics[part] for part in ("valid", "test")}


def weights_of(model):
    return [weight.numpy() for weight in model.weights]


def fit_interrupted(config, output):
    """`fit`, interrupted in the second epoch."""
    with interrupted(epoch=1), pytest.raises(KeyboardInterrupt):
        fit(config, output)
