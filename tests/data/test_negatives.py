import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, leave_one_out, training_batches
from tf_iclrec.data.negatives import draw_negatives

from .batch_rows import batches_of, sequences_of, without_padding


def test_negatives_are_items_the_user_never_trained_on(log):
    training = {sequence[0]: set(sequence[:-2]) for sequence in sequences_of(log)}
    dataset = training_batches(leave_one_out(log), batch_size=16, negatives=True)
    for _ in range(3):
        for batch in batches_of(dataset):
            np.testing.assert_array_equal(batch["negative_ids"] == 0, batch["target_ids"] == 0)
            for ids, negatives in zip(batch["item_ids"], batch["negative_ids"], strict=True):
                drawn = set(without_padding(negatives))
                assert not drawn & training[without_padding(ids)[0]]
                assert drawn <= set(range(3, 3 + log.num_items))


def test_items_before_the_window_are_no_negatives():
    """A history longer than the input is still avoided as a whole."""
    log = Interactions.from_sequences({f"u{u}": "abcdefghijkl" for u in range(100)})
    (batch,) = training_batches(leave_one_out(log), max_length=2, negatives=True)
    assert set(np.ravel(batch["negative_ids"])) == set(log.items.encode(["k", "l"]))


@pytest.mark.parametrize(
    "seen",
    [[], [3], [12], [3, 4, 5], [10, 11, 12], [4, 7, 8, 11], [3, 5, 7, 9, 11], list(range(3, 12))],
    ids=str,
)
def test_negatives_are_uniform_over_the_unseen_items(seen):
    num_items, draws = 10, 20000
    targets = tf.fill([1, draws], 5)
    seen_ids = tf.constant([[0, 0, *seen]], tf.int32)
    drawn = draw_negatives(targets, seen_ids, num_items, (7, 11)).numpy()
    unseen = sorted(set(range(3, 3 + num_items)) - set(seen))
    counts = np.bincount(drawn[0], minlength=13)
    assert np.flatnonzero(counts).tolist() == unseen
    expected = draws / len(unseen)
    chi_square = ((counts[unseen] - expected) ** 2 / expected).sum()
    assert chi_square < 28  # 0.1% of the draws from ten equal shares lie above.


def test_negatives_of_each_row_avoid_its_own_seen_items():
    seen = tf.constant([[0, 3, 5], [0, 0, 4], [3, 4, 5]])
    drawn = draw_negatives(tf.fill([3, 200], 9), seen, 4, (1, 2)).numpy()
    assert [set(row) for row in drawn] == [{4, 6}, {3, 5, 6}, {6}]


def test_nothing_is_asked_of_who_had_every_item():
    log = Interactions.from_sequences({"all": "xyzxy", "some": "xyxxz"})
    (batch,) = batches_of(training_batches(leave_one_out(log), negatives=True))
    rows = dict(zip(log.users[batch["users"]], batch["target_ids"].tolist(), strict=True))
    assert rows == {"all": [0, 0], "some": log.items.encode(["y", "x"]).tolist()}
    for name in ("negative_ids", "target_weights"):
        np.testing.assert_array_equal(batch[name] == 0, batch["target_ids"] == 0)


def test_user_who_has_seen_everything_gets_padding():
    targets = tf.constant([[3, 4, 5], [0, 3, 4]])
    drawn = draw_negatives(targets, tf.constant([[3, 4, 5], [0, 3, 4]]), 3, (1, 2))
    assert drawn.numpy().tolist() == [[0, 0, 0], [0, 5, 5]]
