import importlib

import pytest

from tf_iclrec import fit, make_config

from ..small_runs import write_log
from .trained import SETTINGS, check_same, train

# A loss over samples, both contrasts of views, and intents found twice.
PUBLISHED = {**SETTINGS, "model": "iclrec_published", "num_blocks": 1, "num_intents": (6,)}


@pytest.mark.replicas
def test_two_processes_train_as_one(tmp_path, monkeypatch):
    settings = {**PUBLISHED, "data": write_log(tmp_path / "log")}
    module = importlib.import_module("tf_iclrec.fit")
    for name in ("finish_run", "write_page"):
        monkeypatch.setattr(module, name, lambda *arguments, **named: None)
    fit(make_config(**settings), tmp_path / "alone")
    train(tmp_path / "two", settings, processes=2)
    check_same(tmp_path / "two", tmp_path / "alone")


CASES = {
    "softmax": {"model": "sasrec", "num_blocks": 1},
    "several-losses-and-members": {
        "model": "iclrec",
        "num_blocks": 1,
        "num_members": 2,
        "num_intents": (6, 3),
        "sequence_weight": 0.1,
        "intent_weight": 0.1,
        "intent_fnm": True,
        "sequence_fnm": True,
    },
    "samples": {"model": "iclrec", "num_intents": 6, "loss": "sampled_softmax"},
    "in-batch-samples": {"model": "sasrec", "loss": "sampled_softmax", "sampling": "in_batch"},
    "futures": {"model": "dssrec"},
    "cloze": {"model": "bert4rec", "num_blocks": 1},
    # 200 users in batches of 66: the last batch has two rows for three replicas. Of so many users
    # each replica evaluates a third; else the figures would be means of unequal parts.
    "three": {"model": "sasrec", "num_blocks": 1, "batch_size": 66, "evaluation_users": 198},
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("replicas") / "log")


@pytest.mark.replicas
@pytest.mark.parametrize("name", CASES)
def test_devices_and_processes_train_as_one(name, log, tmp_path):
    settings = {**SETTINGS, **CASES[name], "data": log}
    replicas = 3 if name == "three" else 2
    train(tmp_path / "alone", settings)
    train(tmp_path / "processes", settings, processes=replicas)
    check_same(tmp_path / "processes", tmp_path / "alone")
    train(tmp_path / "devices", settings, devices=replicas)
    check_same(tmp_path / "devices", tmp_path / "alone")
