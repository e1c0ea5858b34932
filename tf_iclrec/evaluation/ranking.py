"""Where the target stands among the whole catalogue."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_iclrec.data.by_row import by_row
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID

# A rank beyond all cutoffs, however small the catalogue is.
NEVER_FOUND = 2**31 - 1
_NEVER = -float("inf")


def target_ranks(scores: tf.Tensor, target_ids: tf.Tensor, seen_ids: tf.Tensor) -> tf.Tensor:
    """Rank of each target among all items, 1 = best.

    The rank is the number of items that score at least as high, the target itself included:
    ties count against the model, and so does a score that is not a number. Seen items are
    left out; a target among them can't be found and gets `NEVER_FOUND`.

    Args:
        scores: ``(batch, items)`` float; column ``i`` belongs to the internal id ``i + 3``.
        target_ids: ``(batch,)`` int32 internal ids.
        seen_ids: ``(batch, seen)`` int32 internal ids to leave out, 0 = padding.

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
    # Each once: histories repeat items.
    seen_ids = tf.sort(seen_ids, axis=1)
    is_first = tf.pad(seen_ids[:, 1:] != seen_ids[:, :-1], [[0, 0], [1, 0]], constant_values=True)
    is_seen = (seen_ids >= NUM_SPECIAL_IDS) & is_first[:, : tf.shape(seen_ids)[1]]
    seen_scores = tf.gather(scores, tf.maximum(seen_ids - NUM_SPECIAL_IDS, 0), batch_dims=1)
    better_seen = is_seen & ~(seen_scores < target_scores)
    rank -= tf.math.count_nonzero(better_seen, axis=1, dtype=tf.int32)
    target_seen = tf.reduce_any(seen_ids == target_ids[:, tf.newaxis], axis=1)
    return tf.where(target_seen, NEVER_FOUND, rank)


def best_items(scores: tf.Tensor, seen_ids: tf.Tensor, k: int) -> tf.Tensor:
    """The items with the highest scores, seen ones left out.

    Args:
        scores: ``(batch, items)`` float; column ``i`` belongs to the internal id ``i + 3``.
        seen_ids: ``(batch, seen)`` int32 internal ids to leave out, 0 = padding.
        k: How many.

    Returns:
        ``(batch, k)`` int32 internal ids, best first, 0 where no item is left.

    Example:
    >>> best_items(tf.constant([[5.0, 2.0, 7.0]]), tf.constant([[0, 3]]), 3).numpy().tolist()
    [[5, 4, 0]]
    """
    is_seen = seen_ids >= NUM_SPECIAL_IDS
    places = tf.stack([tf.where(is_seen)[:, 0], tf.cast(seen_ids[is_seen], tf.int64)], axis=1)
    places -= [0, NUM_SPECIAL_IDS]
    never = tf.fill([tf.shape(places)[0]], _NEVER)
    left = tf.tensor_scatter_nd_update(scores, places, never)
    best, columns = tf.math.top_k(left, tf.minimum(k, tf.shape(scores)[1]))
    ids = tf.where(best > _NEVER, columns + NUM_SPECIAL_IDS, PADDING_ID)
    return tf.pad(ids, [[0, 0], [0, k - tf.shape(ids)[1]]])


def rank_and_list(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor], batches: tf.data.Dataset, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rank of each held-out item, and the best items of its history, from the same scores.

    Args:
        model: From a batch to the scores of all items, ``(batch, items)``.
        batches: Of `tf_iclrec.evaluation_batches`.
        k: Length of the lists; 0 if none are wanted.

    Returns:
        Ranks ``(n,)`` int32, 1 = best, and lists ``(n, k)`` int32 as those of `best_items`, of the
        rows in ``batches``, in their order in the held-out part.
    """

    def answers_of(batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        scores = model(batch)
        ranks = target_ranks(scores, batch["target_ids"], batch["seen_ids"])
        best = best_items(scores, batch["seen_ids"], k) if k else ranks[:, tf.newaxis][:, :0]
        return ranks, best

    ranks, lists = by_row(answers_of, batches)
    return ranks, lists
