import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, evaluation_batches, leave_one_out
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.ranking import NEVER_FOUND, best_items, rank_and_list, target_ranks

NAN = float("nan")


def rank(scores, target, seen=()):
    """Rank of a single user's target."""
    seen = np.array([seen], dtype="int32").reshape(1, -1)
    scores = np.array([scores], dtype="float32")
    return int(target_ranks(scores, np.array([target], dtype="int32"), seen)[0])


# Column i belongs to id i + 3, so the target 4 has the second score.
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0, 9.0, 2.0, 3.0], 1),
        ([5.0, 3.0, 4.0, 1.0], 3),
        ([2.0, 1.0, 3.0, 4.0], 4),
        ([-1.0, -3.0, -2.0, -4.0], 3),
    ],
)
def test_rank_is_one_more_than_the_number_of_better_items(scores, expected):
    assert rank(scores, target=4) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([2.0, 2.0, 1.0, 1.0], 2), ([3.0, 2.0, 2.0, 1.0], 3), ([0.0, 0.0, 0.0, 0.0], 4)],
)
def test_ties_count_against_the_model(scores, expected):
    assert rank(scores, target=4) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], 3),
        ([3], 2),  # a better item
        ([5], 2),  # an item with the same score
        ([6], 3),  # a worse item
        ([0, 0, 3, 5], 1),  # padded
    ],
)
def test_seen_items_are_left_out(seen, expected):
    assert rank([7.0, 2.0, 2.0, 1.0], target=4, seen=seen) == expected


def test_a_seen_target_is_not_found_at_any_cutoff():
    """The catalogue has fewer items than lists have places."""
    assert rank([1.0, 9.0, 2.0, 3.0], target=4, seen=[0, 4]) == NEVER_FOUND
    assert set(metrics_of_ranks([NEVER_FOUND], cutoffs=[20]).values()) == {0.0}


@pytest.mark.parametrize(
    ("scores", "seen", "expected"),
    [
        ([NAN, 2.0, 1.0, 1.0], [], 2),
        ([1.0, NAN, 1.0, 1.0], [], 4),
        ([NAN, NAN, NAN, NAN], [], 4),
        ([NAN, 2.0, 1.0, 1.0], [3], 1),
        ([1.0, NAN, 1.0, 1.0], [3], 3),
    ],
)
def test_a_score_that_is_not_a_number_counts_against_the_model(scores, seen, expected):
    assert rank(scores, target=4, seen=seen) == expected


def test_infinite_scores_are_ordered():
    assert rank([np.inf, 1.0, -np.inf, 2.0], target=4) == 3


def test_matches_sorting_on_random_data():
    rng = np.random.default_rng(0)
    users, items = 200, 15
    scores = rng.integers(8, size=(users, items)).astype("float32")  # many ties
    targets = rng.integers(3, items + 3, size=users).astype("int32")
    seen = np.zeros((users, 5), dtype="int32")
    for row in seen:
        count = rng.integers(6)
        row[5 - count :] = rng.choice(np.arange(3, items + 3), count, replace=False)

    expected = []
    for user in range(users):
        column = targets[user] - 3
        if targets[user] in seen[user]:
            expected.append(NEVER_FOUND)
            continue
        left = [i for i in range(items) if i + 3 not in seen[user]]
        # Best first; among equals the target comes last.
        order = np.lexsort(([i == column for i in left], -scores[user, left]))
        expected.append(1 + [left[i] for i in order].index(column))

    ranks = target_ranks(scores, targets, seen)
    assert ranks.dtype == "int32"
    assert ranks.numpy().tolist() == expected
    assert expected.count(NEVER_FOUND) > 5


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_ranks_of_users_come_in_the_order_of_the_log(batch_size):
    rng = np.random.default_rng(1)
    users, items = 40, 30
    sequences = {
        f"u{user}": [f"i{item}" for item in rng.integers(items, size=length)]
        for user, length in enumerate(rng.integers(3, 12, size=users))
    }
    log = Interactions.from_sequences(sequences)
    scores = rng.random((users, log.num_items)).astype("float32")
    column = dict(zip(log.items.ids, range(log.num_items), strict=True))

    expected = []
    for row, (*history, target) in zip(scores, sequences.values(), strict=True):
        left = [item for item in column if item not in history]
        rank = sum(row[column[item]] >= row[column[target]] for item in left)
        expected.append(NEVER_FOUND if target in history else rank)

    batches = evaluation_batches(leave_one_out(log), "test", batch_size)
    ranks, lists = rank_and_list(lambda batch: tf.gather(scores, batch["users"]), batches, 0)
    assert ranks.dtype == np.int32
    assert ranks.tolist() == expected
    assert lists.shape == (len(expected), 0)

    ranks, lists = rank_and_list(lambda batch: tf.gather(scores, batch["users"]), batches, 7)
    assert ranks.tolist() == expected
    assert lists.dtype == np.int32
    for row, best, (*history, _) in zip(scores, lists, sequences.values(), strict=True):
        left = [item for item in column if item not in history]
        left.sort(key=lambda item: row[column[item]], reverse=True)
        assert log.items.decode(best).tolist() == left[:7]


@pytest.mark.parametrize(
    ("seen", "k", "expected"),
    [
        ([], 2, [5, 3]),
        ([0, 5], 2, [3, 6]),
        ([3, 4, 5], 2, [6, 0]),  # one is left
        ([], 6, [5, 3, 6, 4, 0, 0]),  # more than there are
    ],
)
def test_best_items_are_the_unseen_with_the_highest_scores(seen, k, expected):
    scores = np.array([[7.0, -2.0, 9.0, 1.0]], dtype="float32")
    seen = np.array([seen], dtype="int32").reshape(1, -1)
    assert best_items(scores, seen, k).numpy().tolist() == [expected]


def test_a_target_is_in_the_list_of_k_if_its_rank_is_at_most_k():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(50, 20)).astype("float32")
    targets = rng.integers(3, 23, 50).astype("int32")
    seen = rng.permuted(np.tile(np.arange(3, 23, dtype="int32"), (50, 1)), axis=1)[:, :4]
    ranks = target_ranks(scores, targets, seen).numpy()
    lists = best_items(scores, seen, 5).numpy()
    assert ((lists == targets[:, None]).any(axis=1) == (ranks <= 5)).all()


def test_evaluating_again_and_again_brings_no_warning(caplog):
    log = Interactions.from_sequences({"u": ["a", "b", "c"]})
    split = leave_one_out(log)
    for _ in range(8):
        batches = evaluation_batches(split, "test")
        rank_and_list(lambda batch: tf.constant([[1.0, 2.0, 3.0]]), batches, 1)
    assert not caplog.records


def test_items_that_were_seen_twice_are_left_out_once():
    scores = tf.constant([[5.0, 2.0, 1.0, 0.0], [5.0, 2.0, 1.0, 0.0]])
    seen = tf.constant([[3, 5, 3, 3], [0, 6, 0, 6]])
    assert target_ranks(scores, tf.constant([4, 4]), seen).numpy().tolist() == [1, 2]
