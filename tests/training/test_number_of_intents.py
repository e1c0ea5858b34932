"""The number of intents is found in logs in which it is known."""

import numpy as np
import pytest

from tf_iclrec import Interactions, choose_num_intents, leave_one_out
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.training import number_of_intents
from tf_iclrec.training.intent_clustering import Clusters
from tf_iclrec.training.number_of_intents import _counts, _frequent_items, _gains, _spread_out


@pytest.mark.parametrize(
    ("planted", "size"),
    [
        (4, {"num_users": 300, "num_items": 60}),
        (6, {"num_users": 1000, "num_items": 300, "mean_length": 6.0}),
        (10, {"num_users": 1500, "num_items": 1500, "mean_length": 7.0}),
        (16, {"num_users": 2000, "num_items": 600}),
        (30, {"num_users": 1500, "num_items": 600}),
    ],
)
def test_the_planted_number_is_found_within_a_factor_of_one_and_a_half(planted, size):
    log, _ = planted_intents(num_intents=planted, seed=planted, **size)
    found = choose_num_intents(leave_one_out(log))
    assert planted / 1.5 <= found.number <= planted * 1.5
    assert str(found).startswith(
        f"Intents: {found.number} (--num-intents auto), the fewest of 2 to"
    )


def test_users_without_intents_get_the_fewest():
    random = np.random.default_rng(0)
    log = Interactions.from_sequences(
        {str(user): [str(item) for item in random.integers(200, size=8)] for user in range(400)}
    )
    assert choose_num_intents(leave_one_out(log)).number <= 3


@pytest.mark.parametrize(("users", "number"), [(1, 1), (6, 2)])
def test_a_log_too_small_to_compare_has_as_many_as_can_be_clustered(users, number):
    log = Interactions.from_sequences({str(user): "abcdef" for user in range(users)})
    found = choose_num_intents(leave_one_out(log))
    assert (found.number, len(found.tried)) == (number, 0)
    assert "too few users" in str(found)


def test_the_last_two_items_of_users_are_not_read():
    log, _ = planted_intents(num_users=300, num_items=60, num_intents=4)
    first = choose_num_intents(leave_one_out(log))
    held_out = np.concatenate([log.offsets[1:] - 1, log.offsets[1:] - 2])
    log.item_ids[held_out] = 3
    other = choose_num_intents(leave_one_out(log))
    np.testing.assert_array_equal(first.gains, other.gains)


def test_gains_are_those_of_a_slow_calculation():
    from scipy import sparse

    random = np.random.default_rng(1)
    bought, hidden = random.integers(0, 3, (12, 5)), random.integers(0, 2, (4, 5))
    shown = random.normal(size=(4, 2)).astype("float32")
    clusters = Clusters(
        np.array([[1, 0], [-1, 0]], dtype="float32"), random.integers(0, 2, 12), inertia=0.0
    )
    popularity = bought.sum(axis=0) + 1.0
    found = _gains(
        clusters,
        sparse.csr_matrix(bought.astype("float32")),
        shown,
        sparse.csr_matrix(hidden.astype("float32")),
        popularity,
    )
    best = None
    for power in range(2, 22):
        gains = np.zeros(4)
        for user in range(4):
            intent = int(shown[user, 0] < 0)
            counts = bought[clusters.assignments == intent].sum(axis=0)
            expected = popularity / popularity.sum()
            probability = (counts + 2**power * expected) / (counts.sum() + 2**power)
            gains[user] = (hidden[user] * np.log(probability / expected)).sum()
        if best is None or gains.sum() > best.sum():
            best = gains
    np.testing.assert_allclose(found, best, rtol=1e-5)


def test_first_centroids_are_in_different_places():
    corners = np.eye(8, dtype="float32")
    vectors = np.repeat(corners, 5, axis=0)
    for seed in range(3):
        chosen = _spread_out(vectors, 8, np.random.default_rng(seed))
        assert {int(place.argmax()) for place in chosen} == set(range(8))


def test_every_other_item_is_shown_and_those_between_are_predicted(monkeypatch):
    split = leave_one_out(Interactions.from_sequences({"ann": "abcba??", "bob": "cc??"}))
    items = _frequent_items(split)
    shown, hidden = (_counts(split.train, items, part).toarray() for part in (0, 1))
    by_item = dict(zip(items.vocabulary.ids, np.stack([shown, hidden], axis=-1)[0], strict=True))
    assert {item: by_item[item].tolist() for item in "abc"} == {
        "a": [2, 0], "b": [0, 2], "c": [1, 0],
    }  # fmt: skip
    parts = []
    monkeypatch.setattr(
        number_of_intents,
        "_counts",
        lambda histories, items, part=None: parts.append(part) or _counts(histories, items, part),
    )
    log, _ = planted_intents(num_users=100, num_items=30, num_intents=2)
    choose_num_intents(leave_one_out(log))
    assert parts == [None, 0, 1]
