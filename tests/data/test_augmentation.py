import math
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import ViewRatios
from tf_iclrec.data.augmentation import (
    apply_view,
    crop,
    draw_past_and_future,
    draw_view,
    mask,
    reorder,
)

WIDTH = 52


def draw(lengths, ratios, seed=(1, 2), width=WIDTH):
    source, masked = draw_view(tf.constant(lengths, tf.int32), tf.constant(width), ratios, seed)
    return source.numpy(), masked.numpy()


class DrawnViews:
    """Many views, sorted by what was done. With five entries and more, each of the ratios
    below changes the sequence, so that the three operations can be told apart."""

    def __init__(self, ratios):
        self.ratios = ratios
        self.lengths = np.random.default_rng(0).integers(5, 51, size=3000)
        self.source, self.masked = draw(self.lengths, ratios)
        is_masked = self.masked.any(axis=1)
        is_crop = (self.source >= 0).sum(axis=1) < self.lengths
        self.rows = {
            "crop": np.flatnonzero(is_crop),
            "mask": np.flatnonzero(is_masked),
            "reorder": np.flatnonzero(~is_masked & ~is_crop),
        }
        assert not (is_masked & is_crop).any()

    def of(self, operation):
        """Number of entries, positions taken (from 0 = oldest) and masked positions."""
        for row in self.rows[operation]:
            length = int(self.lengths[row])
            first = WIDTH - length
            filled = self.source[row] >= 0
            yield length, self.source[row, filled] - first, np.flatnonzero(self.masked[row]) - first


@pytest.fixture(
    scope="module",
    params=[ViewRatios(), ViewRatios(0.5, 0.5, 0.5), ViewRatios(0.8, 0.2, 0.8)],
    ids=["default", "half", "weak"],
)
def views(request):
    return DrawnViews(request.param)


def test_padding_can_stand_in_place_of_a_masked_item():
    ids, source = tf.constant([[0, 7, 8, 9]]), tf.constant([[-1, 1, 2, 3]])
    masked = tf.constant([[False, False, True, False]])
    for mask_id in (2, 0):
        assert apply_view(ids, source, masked, mask_id).numpy().tolist() == [[0, 7, mask_id, 9]]


def test_the_three_operations_are_equally_likely(views):
    deviation = math.sqrt(3000 * (1 / 3) * (2 / 3))
    for rows in views.rows.values():
        assert abs(len(rows) - 1000) < 4 * deviation


def test_crop_keeps_one_piece_of_the_right_size(views):
    for length, taken, _ in views.of("crop"):
        size = max(1, math.floor(views.ratios.crop * length))
        assert taken.tolist() == list(range(taken[0], taken[0] + size))
        assert 0 <= taken[0] <= length - size


def test_mask_hides_the_right_number_and_moves_nothing(views):
    for length, taken, hidden in views.of("mask"):
        assert taken.tolist() == list(range(length))
        assert len(hidden) == math.floor(views.ratios.mask * length)
        assert hidden.min() >= 0


def test_reorder_permutes_only_one_window(views):
    for length, taken, _ in views.of("reorder"):
        assert sorted(taken) == list(range(length))
        moved = np.flatnonzero(taken != np.arange(length))
        span = moved.max() - moved.min() + 1 if len(moved) else 0
        assert span <= math.floor(views.ratios.reorder * length)


def test_reorder_usually_changes_the_order(views):
    unchanged = [
        taken.tolist() == sorted(taken)
        for length, taken, _ in views.of("reorder")
        if math.floor(views.ratios.reorder * length) >= 2
    ]
    assert np.mean(unchanged) < 0.4


def test_padding_stays_on_the_left(views):
    filled = views.source >= 0
    assert (np.diff(filled.astype(int), axis=1) >= 0).all()
    assert (filled.sum(axis=1) <= views.lengths).all()
    assert not (views.masked & ~filled).any()


@pytest.mark.parametrize("length", [0, 1, 2])
def test_shortest_sequences_keep_their_entries(length):
    """A crop keeps at least one entry; a share below one entry masks and moves nothing."""
    source, masked = draw([length] * 200, ViewRatios(crop=0.2, mask=0.4, reorder=0.2), width=3)
    assert not masked.any()
    kept = set((source >= 0).sum(axis=1))
    assert kept == {min(length, 1), length}


def test_crop_reaches_every_start_equally_often():
    source, _ = draw([10] * 6000, ViewRatios(0.5, 0.5, 0.5), width=10)
    first = source[(source >= 0).sum(axis=1) == 5][:, 5]
    counts = np.bincount(first, minlength=6)
    assert len(counts) == 6
    np.testing.assert_allclose(counts / len(first), 1 / 6, atol=0.04)


def test_mask_reaches_every_position_equally_often():
    _, masked = draw([10] * 6000, ViewRatios(mask=0.5), width=12)
    shares = masked[masked.any(axis=1)].mean(axis=0)
    np.testing.assert_allclose(shares, [0, 0] + [0.5] * 10, atol=0.05)


def test_reorder_reaches_every_order_equally_often():
    rows = 6000
    noise = np.random.default_rng(0).random((rows, 5), dtype=np.float32)
    three, one = tf.fill([rows], 3), tf.ones([rows], tf.int32)
    source = reorder(tf.fill([rows], 5), tf.constant(5), three, one, noise).numpy()
    orders = Counter(map(tuple, source.tolist()))
    assert len(orders) == 6
    assert all(abs(count - 1000) < 120 for count in orders.values())


@pytest.mark.parametrize(
    ("size", "start", "expected"),
    [(2, 0, [-1, -1, -1, 1, 2]), (2, 2, [-1, -1, -1, 3, 4]), (4, 0, [-1, 1, 2, 3, 4])],
)
def test_crop_of_four_entries(size, start, expected):
    source = crop(tf.constant([4]), tf.constant(5), tf.constant([size]), tf.constant([start]))
    assert source.numpy().tolist() == [expected]


def test_reorder_follows_the_noise():
    noise = tf.constant([[0.0, 0.1, 0.9, 0.5, 0.7, 0.2]])
    source = reorder(tf.constant([5]), tf.constant(6), tf.constant([3]), tf.constant([1]), noise)
    assert source.numpy().tolist() == [[-1, 1, 3, 4, 2, 5]]


def test_mask_takes_the_lowest_noise_among_the_entries():
    noise = tf.constant([[0.0, 0.1, 0.9, 0.5, 0.7, 0.2]])
    masked = mask(tf.constant([4]), tf.constant(6), tf.constant([2]), noise)
    assert masked.numpy().tolist() == [[False, False, False, True, False, True]]


def test_same_seed_gives_the_same_view_and_another_does_not():
    lengths = [20] * 50
    first, again, other = (draw(lengths, ViewRatios(), seed) for seed in [(1, 2), (1, 2), (1, 3)])
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any(axis=1).mean() > 0.5
    assert (first[1] != other[1]).any(axis=1).mean() > 0.3


def test_rows_of_a_batch_are_augmented_independently():
    source, masked = draw([20] * 50, ViewRatios())
    views = {tuple(row) for row in np.where(masked, -2, source).tolist()}
    assert len(views) > 30


def test_apply_view_moves_masks_and_pads():
    ids = tf.constant([[0, 0, 7, 8, 9], [3, 4, 5, 6, 7]])
    source = tf.constant([[-1, -1, 3, 2, 4], [-1, -1, -1, 1, 2]])
    masked = tf.constant([[False, False, False, True, False], [False] * 5])
    assert apply_view(ids, source, masked).numpy().tolist() == [[0, 0, 8, 2, 9], [0, 0, 0, 4, 5]]


def test_two_streams_stay_aligned(views):
    positions = np.arange(WIDTH)[np.newaxis]
    items = np.where(positions >= WIDTH - views.lengths[:, np.newaxis], positions + 100, 0)
    providers = np.where(items > 0, items + 1000, 0)
    item_view, provider_view = (
        apply_view(stream, views.source, views.masked).numpy() for stream in (items, providers)
    )
    is_special = item_view < 3
    np.testing.assert_array_equal(provider_view, np.where(is_special, item_view, item_view + 1000))
    assert set(item_view[is_special]) == {0, 2}


def cut(lengths, seed=(1, 2), width=WIDTH):
    """Sequences 1, 2, 3, ... of these lengths, padded on the left; their pasts and futures."""
    lengths = np.asarray(lengths)
    column = np.arange(width)[np.newaxis] - (width - lengths[:, np.newaxis])
    ids = tf.constant(np.where(column >= 0, column + 1, 0), tf.int32)
    parts = draw_past_and_future(tf.constant(lengths, tf.int32), tf.constant(width), seed)
    return [apply_view(ids, *part).numpy() for part in parts]


def test_past_and_reversed_future_are_the_sequence():
    lengths = np.random.default_rng(0).integers(2, WIDTH + 1, size=3000)
    for length, past, future in zip(lengths, *cut(lengths), strict=True):
        past, future = ([id_ for id_ in part.tolist() if id_] for part in (past, future))
        assert past
        assert future
        assert past + future[::-1] == list(range(1, length + 1))


def test_both_parts_are_padded_on_the_left():
    for part in cut(np.random.default_rng(0).integers(1, WIDTH + 1, size=300)):
        assert (np.diff((part > 0).astype(int), axis=1) >= 0).all()


def test_of_a_single_entry_both_parts_are_that():
    for part in cut([1, 1], width=3):
        assert part.tolist() == [[0, 0, 1]] * 2


def test_every_cut_is_equally_likely():
    past, _ = cut([6] * 5000, width=8)
    counts = np.bincount((past > 0).sum(axis=1), minlength=6)
    assert counts[0] == 0
    assert len(counts) == 6
    np.testing.assert_allclose(counts[1:] / 5000, 1 / 5, atol=0.03)


def test_cuts_follow_the_seed():
    lengths = [20] * 50
    first, again, other = (cut(lengths, seed)[0] for seed in [(1, 2), (1, 2), (1, 3)])
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=1).mean() > 0.5
