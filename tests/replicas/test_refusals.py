import json
from types import SimpleNamespace

import pytest

from tf_iclrec.systems import neural

from ..command_line import refused
from ..small_runs import write_log

TWO = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("refused") / "log")


@pytest.fixture
def refuse(log, tmp_path):
    def check(message, *options):
        refused(message, "train", "--data", log, "--output", tmp_path / "run", *options)
        assert not (tmp_path / "run").exists()

    return check


def test_several_processes_need_to_be_named(refuse):
    refuse("needs TF_CONFIG to name two processes", "--strategy", "multi_worker")


def test_a_cluster_that_cannot_be_read_is_not_trained_without(refuse, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    refuse("TF_CONFIG is not valid JSON")


def test_one_device_mirrors_nothing(refuse):
    refuse("needs two devices or more", "--strategy", "mirrored")


def test_devices_of_one_process_are_not_several_processes(refuse, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    refuse("mirrored is for one process, and TF_CONFIG names 2", "--strategy", "mirrored")


def test_what_has_no_steps_is_not_shared(refuse, monkeypatch):
    refuse("ease does not read strategy", "--model", "ease", "--strategy", "mirrored")
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    refuse("The model ease is not trained in steps", "--model", "ease")
    refuse("--roll trains one run after the other", "--roll", "2017-06-01")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch-size", "64"], "3 replicas can't share batches of 64 users"),
        (["--model", "s3rec_isp", "--batch-size", "66"], "A pre-training (--pretraining segments)"),
    ],
)
def test_what_replicas_cannot_share_is_refused(refuse, monkeypatch, options, message):
    monkeypatch.setattr(neural.Replicas, "of", lambda model: SimpleNamespace(count=3))
    refuse(message, *options)
