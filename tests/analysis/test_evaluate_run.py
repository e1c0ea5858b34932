import json

import pytest

from tf_iclrec import Run, by_time, evaluate_run, make_config
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.models.popularity import PopularityRecommender

from ..command_line import refused, run_here
from ..timed_logs import timed_planted_intents
from .conftest import written


def test_noise_makes_a_model_worse(finished):
    printed = run_here("evaluate", finished, "--noise", 0.1, 1, "--groups", "length", "--json")
    assert printed.returncode == 0, printed.stderr
    report = json.loads(printed.stdout)
    noise = report["noise"]
    assert list(noise) == ["0.1", "1"]
    assert {"test", "lists", "intervals", "groups", "drop"} == noise["1"].keys()
    clean, worst = report["test"]["NDCG@20"], noise["1"]["test"]["NDCG@20"]
    assert noise["1"]["drop"]["NDCG@20"] == pytest.approx(100 * (1 - worst / clean))
    assert worst < noise["0.1"]["test"]["NDCG@20"] < clean
    # The groups are those of the true histories.
    users = [
        {name: one["users"] for name, one in groups["length"].items()}
        for groups in (report["groups"], noise["1"]["groups"])
    ]
    assert users[0] == users[1]
    table = run_here("evaluate", finished, "--noise", 0.1, "--groups").stdout
    title, header, first, *_ = table[table.index("By noise") :].splitlines()
    assert title == "By noise in the histories, as a share of their length"
    assert header.split() == ["none", "0.1", "drop"]
    drop = f"{noise['0.1']['drop']['HR@5']:.1f}%"
    values = [f"{one['HR@5']:.4f}" for one in (report["test"], noise["0.1"]["test"])]
    assert first.split() == ["HR@5", *values, drop]


def test_a_user_with_several_targets_is_one_user(tmp_path):
    log = timed_planted_intents(num_users=20, num_items=15, num_intents=3)
    split = by_time(log, targets="all")
    config = make_config("transitions", split="time", split_targets="all", evaluation_users=30)
    run = Run(
        PopularityRecommender(split.training_counts), split, config, {"valid": {}, "test": {}}
    )
    printed = run_here("evaluate", written(run, tmp_path / "run"), "--groups")
    assert printed.returncode == 0, printed.stderr
    users = split.test.users[sampled_rows(len(split.test.users), 30)]
    assert len(set(users.tolist())) < 30
    assert ["users", str(len(set(users.tolist())))] == printed.stdout.splitlines()[2].split()[:2]


def test_what_can_be_no_noise_is_refused(finished):
    for share in (0, -0.1, 1.5, "nan"):
        refused("--noise must be above 0 and at most 1", "evaluate", finished, "--noise", share)
    refused("invalid float value", "evaluate", finished, "--noise", "much")
    both = ("--noise", 0.1, "--compare", finished)
    refused("--noise and --compare exclude each other", "evaluate", finished, *both)
    both = ("--groups", "length", "--compare", finished)
    refused("--groups and --compare exclude each other", "evaluate", finished, *both)
    refused("--noise-seed must be at least 0", "evaluate", finished, "--noise-seed", -1)


def test_a_share_of_noise_is_one(run):
    with pytest.raises(ValueError, match=r"above 0 and at most 1, not \[0\.1, 2\]"):
        evaluate_run(run, noise=[0.1, 2])


def test_noise_follows_its_seed(run):
    one, again, other = (
        evaluate_run(run, noise=[0.5], seed=seed)["noise"]["0.5"]["test"] for seed in (1, 1, 2)
    )
    assert one == again != other
