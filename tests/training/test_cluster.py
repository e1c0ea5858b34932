import json
from pathlib import Path

import pytest

from tf_iclrec import UserError
from tf_iclrec.training.cluster import Cluster

TWO = {"worker": ["a:1", "b:1"]}


@pytest.fixture
def say(monkeypatch):
    def set_to(value):
        text = value if isinstance(value, str) else json.dumps(value)
        monkeypatch.setenv("TF_CONFIG", text)

    return set_to


def test_without_a_cluster_there_is_one_process(say):
    assert len(Cluster.of_environment()) == 1
    for nothing in ("", "{}", '{"environment": "cloud"}'):
        say(nothing)
        assert Cluster.of_environment() == Cluster()


def test_the_chief_comes_first(say):
    cluster = {"worker": ["b:1", "c:1"], "chief": ["a:1"]}
    for kind, index, place in (("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)):
        say({"cluster": cluster, "task": {"type": kind, "index": index}})
        assert Cluster.of_environment() == Cluster(("a:1", "b:1", "c:1"), place)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{", "not valid JSON"),
        ([], "TF_CONFIG must be a JSON object"),
        ({"cluster": 3}, "cluster must be a JSON object"),
        ({"cluster": {"worker": "a:1"}, "task": {"type": "worker"}}, "must be a list of addresses"),
        ({"cluster": TWO, "task": "worker"}, "task must be a JSON object"),
        ({"cluster": TWO}, "a task None"),
        ({"cluster": TWO | {"ps": ["c:1"]}, "task": {"type": "worker", "index": 0}}, "a task 'ps'"),
        ({"cluster": TWO, "task": {"type": "worker", "index": 2}}, "from 0 to 1"),
        ({"cluster": TWO, "task": {"type": "worker", "index": "0"}}, "from 0 to 1"),
        ({"cluster": TWO, "task": {"type": "worker"}}, "not None"),
        (
            {"cluster": {"worker": ["a", "b:1"]}, "task": {"type": "worker", "index": 0}},
            "'a' is no",
        ),
        ({"cluster": {"worker": ["a:1"] * 2}, "task": {"type": "worker", "index": 0}}, "twice"),
    ],
)
def test_what_is_wrong_is_said(say, written, message):
    say(written)
    with pytest.raises(UserError, match=message):
        Cluster.of_environment()


def test_the_example_with_two_containers_can_be_read(say):
    lines = (Path(__file__).parents[2] / "docker" / "two_workers.yaml").read_text().splitlines()
    written = [line.split("'")[1] for line in lines if "TF_CONFIG:" in line]
    for index, one in enumerate(written):
        say(one)
        assert Cluster.of_environment() == Cluster(("worker0:2222", "worker1:2222"), index)
    assert len(written) == 2
