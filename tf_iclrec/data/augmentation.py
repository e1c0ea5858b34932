"""Views of a sequence: crop, mask and reorder (ICLRec Sec. 3.3).

An augmentation says which position of the sequence each position of the view comes from, and
which positions are masked. It never looks at ids, so it can be applied to several streams of
the same sequence. All rows of a batch are augmented at once.

Rows are padded on the left: row ``i`` holds its ``lengths[i]`` entries at the right end.
"""

import dataclasses
from typing import Annotated

import tensorflow as tf

from tf_iclrec.data.vocabulary import MASK_ID, PADDING_ID
from tf_iclrec.settings import Setting, checked


@checked
@dataclasses.dataclass(frozen=True)
class ViewRatios:
    """How strongly the three augmentations change a sequence.

    Attributes:
        crop: Share of the sequence that a crop keeps.
        mask: Share of the positions that are masked.
        reorder: Share of the sequence, in one piece, that is shuffled.
        masked_as_padding: Whether padding takes the place of a masked item, not the mask.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out, training_batches
    >>> split = leave_one_out(Interactions.from_sequences({"ann": "abcdef"}))
    >>> [batch] = training_batches(split, views=ViewRatios(crop=0.5))
    >>> batch["item_ids"].shape, batch["view_item_ids"].shape
    (TensorShape([1, 3]), TensorShape([1, 2, 3]))
    """

    crop: Annotated[
        float,
        Setting("share that a crop keeps", at_least=0, at_most=1, option="crop_ratio"),
    ] = 0.2
    mask: Annotated[
        float,
        Setting("share that a mask hides", at_least=0, at_most=1, option="mask_ratio"),
    ] = 0.7
    reorder: Annotated[
        float,
        Setting(
            "share that a reordering shuffles",
            at_least=0,
            at_most=1,
            option="reorder_ratio",
        ),
    ] = 0.2
    masked_as_padding: Annotated[
        bool, Setting("padding in place of masked items, as in ICLRec's program")
    ] = False


def crop(lengths: tf.Tensor, width: tf.Tensor, size: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Keep ``size`` entries from ``start`` on.

    Args:
        lengths: ``(batch,)`` int32 number of entries.
        width: Scalar int32, length of the padded row.
        size: ``(batch,)`` int32 entries to keep.
        start: ``(batch,)`` int32 first entry to keep, counted from the oldest.

    Returns:
        ``(batch, width)`` int32 source positions in the padded row, -1 = padding.

    Example: of five entries (columns 1 to 5 of six) keep the middle three.
    >>> crop(tf.constant([5]), tf.constant(6), tf.constant([3]), tf.constant([1])).numpy().tolist()
    [[-1, -1, -1, 2, 3, 4]]
    """
    column = tf.range(width)[tf.newaxis]
    kept = column >= width - size[:, tf.newaxis]
    shift = lengths - size - start
    return tf.where(kept, column - shift[:, tf.newaxis], -1)


def reorder(
    lengths: tf.Tensor, width: tf.Tensor, size: tf.Tensor, start: tf.Tensor, noise: tf.Tensor
) -> tf.Tensor:
    """Shuffle the ``size`` entries from ``start`` on, by the order of their ``noise``.

    Args:
        noise: ``(batch, width)`` float32 in [0, 1).

    Returns:
        ``(batch, width)`` int32 source positions in the padded row, -1 = padding.
    """
    column = tf.range(width)[tf.newaxis]
    first = width - lengths
    window_start = (first + start)[:, tf.newaxis]
    in_window = (column >= window_start) & (column < window_start + size[:, tf.newaxis])
    # Sorted, each column keeps its place except that the window's columns share one.
    place = tf.where(in_window, window_start, column)
    source = tf.argsort(tf.cast(place, tf.float32) + tf.where(in_window, noise, 0.0), stable=True)
    return tf.where(column >= first[:, tf.newaxis], source, -1)


def mask(lengths: tf.Tensor, width: tf.Tensor, size: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Choose the ``size`` entries with the lowest ``noise``.

    Returns:
        ``(batch, width)`` bool, true where an entry is masked.
    """
    is_entry = tf.range(width)[tf.newaxis] >= (width - lengths)[:, tf.newaxis]
    order = tf.argsort(tf.where(is_entry, noise, 2.0), stable=True)
    rank = tf.argsort(order, stable=True)
    return is_entry & (rank < size[:, tf.newaxis])


def draw_view(
    lengths: tf.Tensor, width: tf.Tensor, ratios: ViewRatios, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Augment each row with one of the three operations, chosen at random.

    Args:
        lengths: ``(batch,)`` int32.
        width: Scalar int32.
        ratios: Strength of the operations.
        seed: ``(2,)`` integer seed; the same seed gives the same view.

    Returns:
        Source positions ``(batch, width)`` int32, -1 = padding, and masked positions
        ``(batch, width)`` bool.
    """
    rows = tf.shape(lengths)[0]
    choice_seed, start_seed, noise_seed = tf.unstack(tf.random.split(seed, 3))
    choice = tf.random.stateless_uniform([rows, 1], choice_seed, maxval=3, dtype=tf.int32)
    noise = tf.random.stateless_uniform([rows, width], noise_seed)
    fraction = tf.random.stateless_uniform([rows], start_seed)

    def size_and_start(ratio: float, minimum: int) -> tuple[tf.Tensor, tf.Tensor]:
        size = tf.cast(tf.math.floor(ratio * tf.cast(lengths, tf.float32)), tf.int32)
        size = tf.maximum(size, tf.minimum(minimum, lengths))
        starts = tf.cast(lengths - size + 1, tf.float32)
        # The product can round up to the bound itself.
        start = tf.minimum(tf.cast(fraction * starts, tf.int32), lengths - size)
        return size, start

    crop_size, crop_start = size_and_start(ratios.crop, minimum=1)
    reorder_size, reorder_start = size_and_start(ratios.reorder, minimum=0)
    mask_size, _ = size_and_start(ratios.mask, minimum=0)
    source = tf.where(
        choice == 0,
        crop(lengths, width, crop_size, crop_start),
        # Where nothing is reordered the order is that of the sequence: the masked view.
        reorder(lengths, width, tf.where(choice[:, 0] == 1, reorder_size, 0), reorder_start, noise),
    )
    masked = (choice == 2) & mask(lengths, width, mask_size, noise)
    return source, masked


def draw_past_and_future(
    lengths: tf.Tensor, width: tf.Tensor, seed: tf.Tensor
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Cut each row at a random place into its past and, in reverse, its future.

    Each part has at least one entry; of a row with a single entry both are that.

    Args:
        lengths: ``(batch,)`` int32.
        width: Scalar int32.
        seed: ``(2,)`` integer seed.

    Returns:
        Two views as `draw_view` gives them.

    Example: of two entries (columns 1 and 2 of three) one is the past and one the future.
    >>> past, future = draw_past_and_future(tf.constant([2]), tf.constant(3), tf.constant([0, 1]))
    >>> past[0].numpy().tolist(), future[0].numpy().tolist()
    ([[-1, -1, 1]], [[-1, -1, 2]])
    """
    fraction = tf.random.stateless_uniform(tf.shape(lengths), seed)
    most = tf.maximum(lengths - 1, 1)
    size = 1 + tf.minimum(tf.cast(fraction * tf.cast(most, tf.float32), tf.int32), most - 1)
    past = crop(lengths, width, tf.minimum(size, lengths), tf.zeros_like(size))
    rest = tf.maximum(lengths - size, 1)[:, tf.newaxis]
    column = tf.range(width)[tf.newaxis]
    # The last entry first, so that the entry after the cut stands at the end.
    future = tf.where(column >= width - rest, 2 * width - 1 - rest - column, -1)
    nothing = tf.zeros_like(past, tf.bool)
    return [(past, nothing), (future, nothing)]


def apply_view(
    ids: tf.Tensor, source: tf.Tensor, masked: tf.Tensor, mask_id: int = MASK_ID
) -> tf.Tensor:
    """Carry a view out on one stream of ids.

    Args:
        ids: ``(batch, time)`` int32.
        source: ``(batch, time)`` int32 from `draw_view`.
        masked: ``(batch, time)`` bool from `draw_view`.
        mask_id: What stands in place of masked items.

    Example:
    >>> view = apply_view(tf.constant([[0, 7, 8]]), tf.constant([[-1, 2, 1]]),
    ...                   tf.constant([[False, False, True]]))
    >>> view.numpy().tolist()
    [[0, 8, 2]]
    """
    moved = tf.gather(ids, tf.maximum(source, 0), batch_dims=1)
    return tf.where(source < 0, PADDING_ID, tf.where(masked, mask_id, moved))
