import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, by_time, leave_one_out, metrics_of_ranks
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.groups import GROUPINGS
from tf_iclrec.evaluation.held_out import evaluate_held_out, held_out_answers
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.significance import confidence_interval
from tf_iclrec.models.popularity import PopularityRecommender

from ..timed_logs import timed_planted_intents

USERS, ITEMS = 60, 25


def random_log():
    rng = np.random.default_rng(0)
    sequences = {
        f"u{user}": [f"i{item}" for item in (rng.random(length) ** 2 * ITEMS).astype(int)]
        for user, length in enumerate(rng.integers(3, 30, size=USERS))
    }
    log = Interactions.from_sequences(sequences)
    return log.with_item_providers({f"i{item}": f"brand {item % 4}" for item in range(15)})


LOG = random_log()
SPLIT = leave_one_out(LOG)
FACTS = ItemFacts(SPLIT.training_counts, {"provider": LOG.providers.of_items})
SCORES = np.random.default_rng(1).normal(size=(USERS, LOG.num_items)).astype(np.float32)


class Taste:
    """Scores that each user has, whatever the history; it counts how often it is asked."""

    max_length = 5
    asked_for = 0

    def __call__(self, batch):
        tf.numpy_function(self.count, [tf.size(batch["users"])], [])
        return tf.gather(SCORES, batch["users"])

    def count(self, users):
        self.asked_for += int(users)


@pytest.fixture(scope="module")
def report():
    return full_report(Taste(), SPLIT, FACTS, k=5)


def test_has_the_metrics_of_the_plain_evaluation(report):
    assert list(report) == ["test", "lists", "intervals", "groups"]
    assert report["test"] == evaluate_held_out(Taste(), SPLIT, ("test",))["test"]


def test_scores_everyone_once():
    model = Taste()
    full_report(model, SPLIT, FACTS)
    assert model.asked_for == USERS


def test_intervals_hold_their_metrics(report):
    assert list(report["intervals"]) == list(report["test"])
    ranks, _ = held_out_answers(Taste(), SPLIT, "test")
    assert report["intervals"]["HR@20"] == pytest.approx(confidence_interval(ranks <= 20))
    for name, (low, high) in report["intervals"].items():
        assert low < report["test"][name] < high


@pytest.mark.parametrize("name", GROUPINGS)
def test_groups_have_the_metrics_of_their_users_alone(report, name):
    ranks, lists = held_out_answers(Taste(), SPLIT, "test", k=5)
    masks = GROUPINGS[name].masks(SPLIT, "test")
    assert list(report["groups"][name]) == [group for group, mask in masks.items() if mask.any()]
    for group, metrics in report["groups"][name].items():
        mask = masks[group]
        right = metrics_of_ranks(ranks[mask])
        assert metrics["users"] == mask.sum()
        assert {metric: metrics[metric] for metric in right} == pytest.approx(right)
        recommended = np.unique(lists[mask])
        assert metrics["Coverage@5"] == pytest.approx(len(recommended) / LOG.num_items)
        bits = -np.log2(SPLIT.training_counts / SPLIT.training_counts.sum())
        assert metrics["Novelty@5"] == pytest.approx(bits[lists[mask] - 3].mean())


def test_groups_add_up_to_all_users(report):
    for groups in report["groups"].values():
        users = [group["users"] for group in groups.values()]
        assert sum(users) == USERS
        means = [group["ProviderDiversity@5"] for group in groups.values()]
        # Of a few lists less than two providers are known.
        everyone = report["lists"]["ProviderDiversity@5"]
        assert np.average(means, weights=users) == pytest.approx(everyone, rel=0.05)


def test_calibration_reads_the_histories_of_the_same_users(report):
    """One user after the other, by another way of counting."""
    _, lists = held_out_answers(Taste(), SPLIT, "test", k=5)
    brands = LOG.providers.of_items
    found = []
    for user, row in enumerate(lists):
        visible = LOG.item_ids[LOG.offsets[user] : LOG.offsets[user + 1] - 1]
        p, q = (np.bincount(brands[ids], minlength=9)[3:] for ids in (visible, row))
        if p.any() and q.any():
            p, q = p / p.sum(), q / q.sum()
            terms = p[p > 0] * np.log(p[p > 0] / (0.99 * q + 0.01 * p)[p > 0])
            found.append(terms.sum())
    assert report["lists"]["ProviderCalibration@5"] == pytest.approx(np.mean(found))


def test_a_sample_is_reported_of_the_sampled_users():
    rows = sampled_rows(USERS, 20)
    some = full_report(Taste(), SPLIT, FACTS, k=5, evaluation_users=20)
    masks = GROUPINGS["length"].masks(SPLIT, "test")
    users = {group: metrics["users"] for group, metrics in some["groups"]["length"].items()}
    expected = {group: mask[rows].sum() for group, mask in masks.items() if mask[rows].any()}
    assert users == expected


def test_a_user_with_several_targets_is_one_user():
    log = timed_planted_intents(num_users=20, num_items=15, num_intents=3)
    split = by_time(log, targets="all")
    model = PopularityRecommender(num_items=log.num_items)
    report = full_report(model, split, ItemFacts(split.training_counts, {}))
    for name, groups in report["groups"].items():
        masks = GROUPINGS[name].masks(split, "test")
        for group, metrics in groups.items():
            assert metrics["users"] == len(set(split.test.users[masks[group]].tolist()))
    assert len(split.test.users) > sum(one["users"] for one in report["groups"]["length"].values())


def test_only_the_groupings_asked_for_are_there():
    chosen = {"length": GROUPINGS["length"]}
    assert list(full_report(Taste(), SPLIT, FACTS, groupings=chosen)["groups"]) == ["length"]
    log = Interactions.from_sequences({"ann": "abc", "bob": "bca"})
    facts = ItemFacts(leave_one_out(log).training_counts, {})

    def model(batch):
        return tf.zeros([tf.shape(batch["rows"])[0], 3])

    model.max_length = 5
    report = full_report(model, leave_one_out(log), facts, "valid", k=5)
    assert list(report["groups"]) == ["length", "popularity"]
    assert list(report["lists"]) == ["Coverage@5", "Gini@5", "Novelty@5"]
