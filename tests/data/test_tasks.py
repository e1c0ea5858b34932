import math

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.tasks import Cloze, NextItem, OwnItems

HISTORIES = Histories(np.arange(3, 12, dtype=np.int32), np.array([0, 2, 6]), np.array([2, 6, 9]))
MASK = 2


def padded(histories):
    return histories.padded(np.arange(len(histories.starts))).tolist()


def sequences(lengths, width):
    """Rows of so many different ids, padded on the left."""
    column = np.arange(width) - (width - np.asarray(lengths)[:, np.newaxis])
    return np.where(column >= 0, column + 10, 0).astype(np.int32)


def ask(task, ids, seed=(1, 2), **others):
    inputs, targets = task.asked({"item_ids": tf.constant(ids), **others}, tf.constant(ids), seed)
    return {name: value.numpy() for name, value in inputs.items()}, targets.numpy()


def test_next_item_asks_at_each_position_for_the_item_after_it():
    task = NextItem()
    assert padded(task.inputs(HISTORIES)) == [[0, 0, 3], [5, 6, 7], [0, 9, 10]]
    assert padded(task.targets(HISTORIES)) == [[0, 0, 4], [6, 7, 8], [0, 10, 11]]
    assert task.min_length == 2
    lengths = task.inputs(HISTORIES).lengths
    np.testing.assert_array_equal(task.num_targets(lengths), [1, 3, 2])


def test_own_items_asks_at_each_position_for_the_item_there():
    task = OwnItems()
    everything = [[0, 0, 3, 4], [5, 6, 7, 8], [0, 9, 10, 11]]
    assert padded(task.inputs(HISTORIES)) == padded(task.targets(HISTORIES)) == everything
    assert task.min_length == 1
    np.testing.assert_array_equal(task.num_targets(HISTORIES.lengths), [2, 4, 3])


@pytest.mark.parametrize("task", [NextItem(), OwnItems()])
def test_most_tasks_ask_batches_as_they_are(task):
    ids = sequences([2, 3], 3)
    inputs, targets = ask(task, ids)
    np.testing.assert_array_equal(inputs["item_ids"], ids)
    np.testing.assert_array_equal(targets, ids)


def test_cloze_shows_whole_sequences_and_asks_for_their_own_items():
    task = Cloze()
    assert padded(task.inputs(HISTORIES)) == padded(task.targets(HISTORIES))
    assert task.min_length == 2


@pytest.mark.parametrize("task", [Cloze(0.3, 0.2), Cloze(0.6, 0.0), Cloze(0.2, 1.0)])
def test_cloze_asks_for_what_it_masks_and_changes_nothing_else(task):
    ids = sequences(np.tile([1, 2, 5, 9], 50), 9)
    inputs, targets = ask(task, ids)
    shown, masked = inputs["item_ids"], targets != 0
    np.testing.assert_array_equal(shown[masked], MASK)
    np.testing.assert_array_equal(targets[masked], ids[masked])
    np.testing.assert_array_equal(shown[~masked], ids[~masked])
    # Of each sequence one item at least, and never padding.
    assert masked.any(axis=1).all()
    assert not masked[ids == 0].any()


@pytest.mark.parametrize("ratio", [0.2, 0.6])
@pytest.mark.parametrize("length", [2, 5, 20])
def test_cloze_masks_the_right_share_at_every_place(ratio, length):
    rows = 4000
    _, targets = ask(Cloze(ratio, last_only=0.0), sequences([length] * rows, length + 1))
    shares = (targets != 0)[:, 1:].mean(axis=0)
    # One at least: where none would be, each is as likely.
    expected = ratio + (1 - ratio) ** length / length
    deviation = math.sqrt(expected * (1 - expected) / rows)
    np.testing.assert_allclose(shares, expected, atol=4.5 * deviation)


@pytest.mark.parametrize("last_only", [0.0, 0.3, 1.0])
def test_cloze_masks_only_the_last_item_of_the_right_share(last_only):
    rows = 4000
    # A ratio of 1 masks all items of the other sequences.
    _, targets = ask(Cloze(1.0, last_only), sequences([4] * rows, 6))
    kinds = {tuple(row) for row in (targets != 0).tolist()}
    last, every = (False,) * 5 + (True,), (False,) * 2 + (True,) * 4
    assert kinds <= {last, every}
    share = np.mean([tuple(row) == last for row in (targets != 0).tolist()])
    assert abs(share - last_only) <= 4.5 * math.sqrt(last_only * (1 - last_only) / rows)


@pytest.mark.parametrize(
    "task", [Cloze(0.2, 0.1), Cloze(0.6, 0.0), Cloze(0.0, 0.5), Cloze(1.0, 0.1)]
)
def test_cloze_counts_its_targets(task):
    lengths = np.tile([1, 2, 3, 8, 30], 1000)
    _, targets = ask(task, sequences(lengths, 30))
    expected = task.num_targets(lengths)
    assert expected.shape == lengths.shape
    for length in np.unique(lengths):
        found = (targets != 0).sum(axis=1)[lengths == length]
        tolerance = 4.5 * found.std() / math.sqrt(len(found)) + 1e-6
        assert abs(found.mean() - expected[lengths == length][0]) <= tolerance


def test_cloze_masks_all_streams_alike():
    ids = sequences([5, 9], 9)
    providers = np.where(ids > 0, ids + 50, 0)
    inputs, _ = ask(Cloze(0.5), ids, provider_ids=tf.constant(providers))
    masked = inputs["item_ids"] == MASK
    np.testing.assert_array_equal(inputs["provider_ids"], np.where(masked, MASK, providers))


def test_cloze_follows_its_seed_and_masks_rows_independently():
    ids = sequences([20] * 50, 20)
    first, again, other = (ask(Cloze(0.4), ids, seed)[1] for seed in [(1, 2), (1, 2), (1, 3)])
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len({tuple(row) for row in first.tolist()}) > 40


def test_cloze_leaves_a_row_of_padding_alone():
    inputs, targets = ask(Cloze(1.0, 0.0), sequences([0, 2], 3))
    assert inputs["item_ids"].tolist() == [[0, 0, 0], [0, 2, 2]]
    assert targets.tolist() == [[0, 0, 0], [0, 10, 11]]
