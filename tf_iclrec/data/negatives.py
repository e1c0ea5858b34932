"""Items that users never had."""

import tensorflow as tf

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID


def draw_negatives(
    target_ids: tf.Tensor, seen_ids: tf.Tensor, num_items: int, seed: tf.Tensor
) -> tf.Tensor:
    """Draw one unseen item per real position, uniformly and without rejection.

    The r-th unseen item is ``r`` plus the number of seen items up to it, and that number
    follows from the sorted seen items alone.

    Args:
        target_ids: ``(batch, time)`` int32; where 0, the result is 0.
        seen_ids: ``(batch, seen)`` int32, distinct, ascending, padded with 0 on the left.
        num_items: Number of items, without the special ids.
        seed: ``(2,)`` integer seed.

    Returns:
        ``(batch, time)`` int32. A user who has seen every item gets the padding id.
    """
    is_seen = seen_ids != PADDING_ID
    num_seen = tf.math.count_nonzero(is_seen, axis=1, dtype=tf.int32)
    # For the j-th seen item s_j (both from 0): s_j - j unseen items lie before it.
    order = tf.cumsum(tf.cast(is_seen, tf.int32), axis=1) - 1
    unseen_before = tf.where(is_seen, seen_ids - NUM_SPECIAL_IDS - order, num_items)
    unseen_before = tf.sort(unseen_before, axis=1)
    fraction = tf.random.stateless_uniform(tf.shape(target_ids), seed, dtype=tf.float64)
    num_unseen = tf.cast(num_items - num_seen, tf.float64)[:, tf.newaxis]
    unseen_rank = tf.cast(fraction * num_unseen, tf.int32)
    skipped = tf.searchsorted(unseen_before, unseen_rank, side="right")
    drawn = unseen_rank + skipped + NUM_SPECIAL_IDS
    return tf.where((target_ids != PADDING_ID) & (num_unseen > 0), drawn, PADDING_ID)
