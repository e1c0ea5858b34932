"""Batches for a pre-training that asks for masked items and for masked segments of sequences.

What S3-Rec's pre-training needs of histories alone (Zhou et al., CIKM 2020, Sec. 4.3.2 and 4.3.4):
a sequence with some items masked and an item to tell from each of them; and the sequence with a
segment masked, the segment, and one of the same length from another user.
"""

import numpy as np
import tensorflow as tf

from tf_iclrec.data.epochs import epochs_of_batches
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.negatives import draw_negatives
from tf_iclrec.data.row_readers import padded_rows
from tf_iclrec.data.vocabulary import MASK_ID, PADDING_ID
from tf_iclrec.errors import UserError

# Shorter sequences have no context for a segment.
_MIN_LENGTH = 2


def segment_batches(
    histories: Histories,
    num_items: int,
    batch_size: int = 200,
    max_length: int = 50,
    mask_ratio: float = 0.2,
    prefixes: bool = True,
    seed: int = 0,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Batches for ``fit`` of a `SegmentPretrainer`; one pass is one epoch, drawn afresh each time.

    Args:
        histories: What a model may see of each user: the training part.
        num_items: Number of items, without the special ids.
        batch_size: Sequences in a batch.
        max_length: Only the last so many items of a history are used.
        mask_ratio: Share of the items that are masked; the last one always is.
        prefixes: Whether each beginning of a history is a sequence of its own, as in the authors'
            program; otherwise a history is one.
        seed: Everything random follows from it and from the numbers of epoch and step.
        first_epoch: Number of the first pass; to continue an interrupted training.

    Returns:
        A dataset of dicts of int32 tensors ``(batch, time)``, padded with 0 on the left:
        ``masked_ids``, the sequences with masked items; ``target_ids``, those items, 0 elsewhere;
        ``negative_ids``, at their positions items that the user never had; ``context_ids``, the
        sequences with a segment masked; ``segment_ids``, the segment where it stood and masks
        around it; ``other_segment_ids``, the same with a segment of another user. And ``users``
        ``(batch,)``, the numbers of their histories.

    Raises:
        UserError: If no user has two items, or there is only one user.
    """
    starts = histories.last(max_length).starts
    of_user = np.maximum(histories.ends - starts, 0)
    draw_segments = _SegmentsOfOthers(starts, of_user)
    users, lengths = _sequences(of_user, prefixes)
    if not len(users) or draw_segments.second_longest < 1:
        raise UserError("Pre-training needs two users, one of them with two items to train on.")
    all_starts, all_users, all_lengths = (
        tf.constant(of_all) for of_all in (starts, users, lengths)
    )

    def read(places: np.ndarray) -> np.ndarray:
        items = histories.item_ids[np.maximum(places, 0)]
        return np.where(places < 0, PADDING_ID, items).astype(np.int32)

    def take(places: tf.Tensor) -> tf.Tensor:
        """Items at places ``(batch, time)`` of the log; -1 = padding."""
        return tf.ensure_shape(
            tf.numpy_function(read, [places], tf.int32, stateful=False), [None, None]
        )

    take_seen = padded_rows(histories, distinct=True)

    def assemble(rows: tf.Tensor, batch_seed: tf.Tensor) -> dict[str, tf.Tensor]:
        mask_seed, negative_seed, segment_seed, other_seed = tf.unstack(
            tf.random.split(batch_seed, 4)
        )
        user, length = tf.gather(all_users, rows), tf.gather(all_lengths, rows)
        width = tf.reduce_max(length)
        # Entry of the sequence, from 0 = oldest, that a column holds; negative = padding.
        entry = tf.range(width) - (width - length)[:, tf.newaxis]
        is_real = entry >= 0

        def placed(first: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
            place = first[:, tf.newaxis] + tf.cast(entry, tf.int64)
            return take(tf.where(where, place, -1))

        start = tf.gather(all_starts, user)
        item_ids = placed(start, is_real)

        noise = tf.random.stateless_uniform(tf.shape(entry), mask_seed)
        is_masked = is_real & ((noise < mask_ratio) | (entry == length[:, tf.newaxis] - 1))
        target_ids = tf.where(is_masked, item_ids, PADDING_ID)
        negative_ids = draw_negatives(target_ids, take_seen(user), num_items, negative_seed)

        begin, size = _draw_segment(length, draw_segments.longest_of_others(user), segment_seed)
        in_segment = (entry >= begin[:, tf.newaxis]) & (entry < (begin + size)[:, tf.newaxis])
        other_start = draw_segments(user, size, other_seed) - tf.cast(begin, tf.int64)
        around = tf.where(is_real, MASK_ID, PADDING_ID)
        return {
            "masked_ids": tf.where(is_masked, MASK_ID, item_ids),
            # Who had every item has no negatives.
            "target_ids": tf.where(negative_ids == PADDING_ID, PADDING_ID, target_ids),
            "negative_ids": negative_ids,
            "context_ids": tf.where(in_segment, MASK_ID, item_ids),
            "segment_ids": tf.where(in_segment, item_ids, around),
            "other_segment_ids": tf.where(in_segment, placed(other_start, in_segment), around),
            "users": user,
        }

    return epochs_of_batches(lengths, batch_size, assemble, seed, first_epoch)


def _sequences(lengths: np.ndarray, prefixes: bool) -> tuple[np.ndarray, np.ndarray]:
    """User and length of each sequence of a pass, int32."""
    if not prefixes:
        users = np.flatnonzero(lengths >= _MIN_LENGTH)
        return users.astype(np.int32), lengths[users].astype(np.int32)
    counts = np.maximum(lengths - (_MIN_LENGTH - 1), 0)
    users = np.repeat(np.arange(len(lengths), dtype=np.int32), counts)
    number = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    return users, (number + _MIN_LENGTH).astype(np.int32)


def _draw_segment(
    lengths: tf.Tensor, longest: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """First entry and size of a segment of each sequence, ``(batch,)`` int32: of one item up to
    half of the sequence, at most ``longest``, anywhere in it."""
    shares = tf.random.stateless_uniform([2, tf.shape(lengths)[0]], seed, dtype=tf.float64)
    size = 1 + _up_to(tf.minimum(lengths // 2, longest) - 1, shares[0])
    return _up_to(lengths - size, shares[1]), size


def _up_to(most: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """An integer from 0 to ``most``, by a number in [0, 1)."""
    drawn = tf.cast(share * (tf.cast(most, tf.float64) + 1.0), most.dtype)
    return tf.minimum(drawn, most)


class _SegmentsOfOthers:
    """Draws segments of other users: a user by the length of the history, then any place in it.

    Users are sorted by length, the longest first, so that those whose histories are long enough
    for a segment come first.

    Args:
        starts: ``(users,)`` int64 first places of the histories in the log.
        lengths: ``(users,)`` int64 items of each.
    """

    def __init__(self, starts: np.ndarray, lengths: np.ndarray):
        order = np.argsort(-lengths, kind="stable")
        ranks = np.empty_like(order)
        ranks[order] = np.arange(len(order))
        self.ranks = tf.constant(ranks, tf.int64)
        self.starts = tf.constant(starts[order], tf.int64)
        self.lengths = tf.constant(lengths[order], tf.int64)
        self.items_before = tf.constant(np.concatenate([[0], np.cumsum(lengths[order])]), tf.int64)
        # Negative lengths ascend, as a search needs it.
        self.negative_lengths = tf.constant(-lengths[order], tf.int64)
        self.longest, self.second_longest = (
            int(lengths[order[rank]]) if rank < len(order) else 0 for rank in (0, 1)
        )

    def longest_of_others(self, users: tf.Tensor) -> tf.Tensor:
        """``(batch,)`` int32 length of the longest history of another user."""
        is_longest = tf.gather(self.ranks, users) == 0
        return tf.where(is_longest, self.second_longest, self.longest)

    def __call__(self, users: tf.Tensor, sizes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """First places in the log of segments of other users, ``(batch,)`` int64.

        Args:
            users: ``(batch,)`` int32 users whose segments they are not.
            sizes: ``(batch,)`` int32 sizes, at most `longest_of_others`.
            seed: ``(2,)`` integer seed.
        """
        sizes, rank = tf.cast(sizes, tf.int64), tf.gather(self.ranks, users)
        long_enough = tf.searchsorted(
            self.negative_lengths, -sizes, side="right", out_type=tf.int64
        )
        own_begin, own_length = tf.gather(self.items_before, rank), tf.gather(self.lengths, rank)
        # Of all items of those histories, without the own one, any; it names its user.
        shares = tf.random.stateless_uniform([2, tf.shape(users)[0]], seed, dtype=tf.float64)
        item = _up_to(tf.gather(self.items_before, long_enough) - own_length - 1, shares[0])
        item = tf.where(item >= own_begin, item + own_length, item)
        chosen = tf.searchsorted(self.items_before, item, side="right", out_type=tf.int64) - 1
        latest = tf.gather(self.lengths, chosen) - sizes
        return tf.gather(self.starts, chosen) + _up_to(latest, shares[1])
