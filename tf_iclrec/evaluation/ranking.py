"""Where the target stands among the whole catalogue."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def target_ranks(scores: tf.Tensor, target_ids: tf.Tensor, seen_ids: tf.Tensor) -> tf.Tensor:
    """Rank of each target among all items, 1 = best.

    The rank is the number of items that score at least as high, the target itself included:
    ties count against the model, and so does a score that is not a number. Seen items are
    left out; a target among them can't be found and gets the last rank.

    Args:
        scores: ``(batch, items)`` float; column ``i`` belongs to the internal id ``i + 3``.
        target_ids: ``(batch,)`` int32 internal ids.
        seen_ids: ``(batch, seen)`` int32 distinct internal ids to leave out, 0 = padding.

    Returns:
        ``(batch,)`` int32.

    Example: the target (id 4) ties with one item; a better one was seen.
    >>> target_ranks(tf.constant([[5.0, 2.0, 2.0, 1.0]]), tf.constant([4]),
    ...              tf.constant([[3, 0]])).numpy().tolist()
    [2]
    """
    columns = target_ids - NUM_SPECIAL_IDS
    target_scores = tf.gather(scores, columns, batch_dims=1)[:, tf.newaxis]
    # Counting the worse ones rather than the better, so that NaN counts as better.
    worse = tf.reduce_sum(tf.cast(scores < target_scores, tf.int32), axis=1)
    rank = tf.shape(scores)[1] - worse
    is_seen = seen_ids >= NUM_SPECIAL_IDS
    seen_scores = tf.gather(scores, tf.maximum(seen_ids - NUM_SPECIAL_IDS, 0), batch_dims=1)
    better_seen = is_seen & ~(seen_scores < target_scores)
    rank -= tf.math.count_nonzero(better_seen, axis=1, dtype=tf.int32)
    target_seen = tf.reduce_any(seen_ids == target_ids[:, tf.newaxis], axis=1)
    return tf.where(target_seen, tf.shape(scores)[1], rank)


def rank_users(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor], batches: tf.data.Dataset
) -> np.ndarray:
    """Rank of each held-out item.

    Args:
        model: From a batch to the scores of all items, ``(batch, items)``.
        batches: Of `tf_iclrec.evaluation_batches`.

    Returns:
        ``(n,)`` int32 of the rows in ``batches``, in their order in the held-out part, 1 = best.
    """

    @tf.function
    def ranks_of(batch):
        return target_ranks(model(batch), batch["target_ids"], batch["seen_ids"])

    # Called by itself, a function of each call's own would have TensorFlow warn of retracing.
    ranks_of = ranks_of.get_concrete_function(batches.element_spec)
    rows, ranks = zip(
        *((batch["rows"].numpy(), ranks_of(batch).numpy()) for batch in batches), strict=True
    )
    return np.concatenate(ranks)[np.argsort(np.concatenate(rows))]
