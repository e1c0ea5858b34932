import math

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.segments import segment_batches
from tf_iclrec.errors import UserError

MASK = 2
NUM_ITEMS = 400
STREAMS = {
    *("masked_ids", "target_ids", "negative_ids", "context_ids", "segment_ids"),
    "other_segment_ids",
}


@pytest.fixture(scope="module")
def histories():
    """Forty users of 0 to 14 items; no two users and no two places share an item."""
    rng = np.random.default_rng(0)
    lengths = np.concatenate([[0, 1, 2, 14], rng.integers(1, 14, size=36)])
    ends = np.cumsum(lengths + 2)
    items = 3 + np.arange(ends[-1], dtype=np.int32)
    # The two items between the histories are held out.
    return Histories(items, ends - lengths - 2, ends - 2)


def items_of(histories, user):
    return histories.item_ids[histories.starts[user] : histories.ends[user]]


def passes(histories, count=1, **settings):
    """Rows of some passes: dicts of unpadded sequences, and the user."""
    settings = {"num_items": NUM_ITEMS, "batch_size": 16, "max_length": 10} | settings
    data = segment_batches(histories, **settings)
    rows = []
    for _ in range(count):
        for batch in data.as_numpy_iterator():
            assert set(batch) == STREAMS | {"users"}
            for row, user in enumerate(batch["users"]):
                real = batch["masked_ids"][row] != 0
                # Padding is on the left, at the same places in all sequences.
                assert (np.diff(real.astype(int)) >= 0).all()
                streams = {name: batch[name][row] for name in STREAMS}
                assert not any(ids[~real].any() for ids in streams.values())
                rows.append({name: ids[real] for name, ids in streams.items()} | {"user": user})
    return rows


def repeated(histories, times):
    """So many users with each of the histories."""
    starts, ends = (np.tile(of_users, times) for of_users in (histories.starts, histories.ends))
    return Histories(histories.item_ids, starts, ends)


def sequence_of(row):
    """The sequence behind a row, from what is shown and what is asked."""
    return np.where(row["target_ids"] != 0, row["target_ids"], row["masked_ids"])


def segment_of(row):
    """First entry and one past the last of the masked segment."""
    (places,) = np.nonzero(row["context_ids"] == MASK)
    assert (np.diff(places) == 1).all()
    return places[0], places[-1] + 1


def test_each_beginning_of_a_history_comes_once(histories):
    found = sorted((row["user"], len(row["masked_ids"])) for row in passes(histories))
    lengths = np.minimum(histories.lengths, 10)
    assert found == [(u, n) for u, most in enumerate(lengths) for n in range(2, most + 1)]


def test_or_each_history_comes_once(histories):
    rows = passes(histories, prefixes=False)
    lengths = np.minimum(histories.lengths, 10)
    found = sorted((row["user"], len(row["masked_ids"])) for row in rows)
    assert found == [(u, n) for u, n in enumerate(lengths) if n >= 2]


def test_sequences_begin_within_the_last_items_of_their_history(histories):
    for row in passes(histories):
        last_items = items_of(histories, row["user"])[-10:]
        np.testing.assert_array_equal(sequence_of(row), last_items[: len(row["masked_ids"])])


@pytest.mark.parametrize("mask_ratio", [0.0, 0.2, 0.7, 1.0])
def test_items_are_masked_at_the_right_share_and_the_last_one_always(histories, mask_ratio):
    others = []
    for row in passes(histories, 8, mask_ratio=mask_ratio):
        is_masked = row["masked_ids"] == MASK
        assert is_masked[-1]
        np.testing.assert_array_equal(row["target_ids"] != 0, is_masked)
        others += is_masked[:-1].tolist()
    tolerance = 4.5 * math.sqrt(mask_ratio * (1 - mask_ratio) / len(others))
    assert abs(np.mean(others) - mask_ratio) <= tolerance


def test_negative_items_are_new_to_the_user_and_stand_at_the_masks(histories):
    drawn = []
    for row in passes(histories, 4):
        negatives = row["negative_ids"]
        np.testing.assert_array_equal(negatives != 0, row["masked_ids"] == MASK)
        negatives = negatives[negatives != 0]
        # The whole history counts, not only what the sequence shows.
        assert not set(negatives) & set(items_of(histories, row["user"]))
        drawn += negatives.tolist()
    assert min(drawn) >= 3
    assert max(drawn) < 3 + NUM_ITEMS
    assert np.bincount(drawn, minlength=3 + NUM_ITEMS)[3:].max() < 40


def test_a_user_with_every_item_has_no_negatives_and_nothing_asked():
    items = np.arange(3, 11, dtype=np.int32)
    histories = Histories(items, np.array([0, 0]), np.array([8, 4]))
    for row in passes(histories, num_items=8):
        assert row["masked_ids"][-1] == MASK
        assert bool(row["target_ids"].any()) == (row["user"] == 1)
        np.testing.assert_array_equal(row["negative_ids"] != 0, row["target_ids"] != 0)


def test_segments_are_inside_their_sequence_and_masked_around(histories):
    for row in passes(histories, 4):
        sequence = sequence_of(row)
        begin, end = segment_of(row)
        assert 1 <= end - begin <= len(sequence) // 2
        inside = np.arange(len(sequence))
        inside = (inside >= begin) & (inside < end)
        np.testing.assert_array_equal(row["context_ids"], np.where(inside, MASK, sequence))
        np.testing.assert_array_equal(row["segment_ids"], np.where(inside, sequence, MASK))
        assert (row["other_segment_ids"][~inside] == MASK).all()


def test_segments_reach_every_size_and_place_equally_often(histories):
    long = repeated(histories.longer_than(9), 300)
    segments = [segment_of(row) for row in passes(long, prefixes=False, batch_size=1000)]
    assert len(segments) > 3000
    sizes = np.array([end - begin for begin, end in segments])
    np.testing.assert_allclose(np.bincount(sizes, minlength=6)[1:] / len(sizes), 0.2, atol=0.03)
    begins = np.array([begin for begin, end in segments if end - begin == 2])
    np.testing.assert_allclose(np.bincount(begins) / len(begins), 1 / 9, atol=0.05)


def test_other_segments_are_unbroken_pieces_of_what_another_user_may_show(histories):
    # Items are numbered through the log, so that they tell where they come from.
    starts = np.maximum(histories.starts, histories.ends - 10)
    for row in passes(histories, 4):
        begin, end = segment_of(row)
        other = row["other_segment_ids"][begin:end]
        assert other.tolist() == list(range(other[0], other[0] + end - begin))
        first, last = other[0] - 3, other[-1] - 3
        (user,) = np.flatnonzero((starts <= first) & (first < histories.ends))
        assert user != row["user"]
        assert last < histories.ends[user]


def test_other_segments_come_from_all_users_by_their_length(histories):
    lengths = np.minimum(np.maximum(histories.lengths, 0), 10)
    places = histories.joined().item_ids - 3
    owners = dict(zip(places.tolist(), histories.owners.tolist(), strict=True))
    found = []
    for row in passes(repeated(histories, 40), batch_size=1000):
        begin, end = segment_of(row)
        if end - begin == 1:
            found.append(owners[row["other_segment_ids"][begin] - 3])
    shares = np.bincount(found, minlength=40) / len(found)
    np.testing.assert_allclose(shares, lengths / lengths.sum(), atol=0.012)


def test_the_longest_user_gets_segments_that_another_one_can_answer():
    histories = Histories(np.arange(3, 33, dtype=np.int32), np.array([0, 20]), np.array([20, 21]))
    rows = passes(histories, 3, max_length=20)
    assert {row["user"] for row in rows} == {0}
    for row in rows:
        begin, end = segment_of(row)
        assert end - begin == 1
        assert row["other_segment_ids"][begin] == 23


@pytest.mark.parametrize("lengths", [[9], [1, 1, 1], [0, 9], []])
def test_without_another_user_or_a_context_there_is_nothing_to_learn(lengths):
    lengths = np.array(lengths, dtype=np.int64)
    ends = np.cumsum(lengths)
    histories = Histories(np.arange(3, 33, dtype=np.int32), ends - lengths, ends)
    with pytest.raises(UserError, match="two users"):
        segment_batches(histories, NUM_ITEMS)


def flat(data):
    return [np.concatenate([batch[name].ravel() for name in sorted(batch)]) for batch in data]


def assert_same(one, other):
    assert len(one) == len(other)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_everything_follows_from_seed_and_epoch(histories):
    def two_epochs(**settings):
        data = segment_batches(histories, NUM_ITEMS, 16, 10, **settings)
        assert len(data) == len(list(data.take(1000)))
        data = segment_batches(histories, NUM_ITEMS, 16, 10, **settings)
        return [flat(data.as_numpy_iterator()) for _ in range(2)]

    first, second = two_epochs(seed=5)
    again, _ = two_epochs(seed=5)
    continued, _ = two_epochs(seed=5, first_epoch=1)
    other, _ = two_epochs(seed=6)
    assert_same(first, again)
    assert_same(second, continued)
    for different in (second, other):
        assert not all(np.array_equal(a, b) for a, b in zip(first, different, strict=True))


def test_batches_have_similar_lengths_and_the_right_size(histories):
    data = segment_batches(histories, NUM_ITEMS, batch_size=16, max_length=10)
    shares, sizes = [], []
    for batch in data:
        real = tf.math.count_nonzero(batch["masked_ids"])
        shares.append(int(real) / int(tf.size(batch["masked_ids"])))
        sizes.append(len(batch["users"]))
    assert np.mean(shares) > 0.85
    assert sorted(sizes)[1:] == [16] * (len(sizes) - 1)
