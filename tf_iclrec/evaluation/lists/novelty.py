"""How little known the recommended items are."""

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def novelty(item_ids: np.ndarray, training_counts: np.ndarray) -> np.ndarray:
    """Mean self-information of each list's items: ``-log2`` of their share of all interactions in
    the training data (Castells, Vargas and Wang, Novelty and Diversity Metrics for Recommender
    Systems, DDR 2011, Eq. 1 and 6).

    An item that was never trained on counts as if it had been seen once, so that one of them does
    not make the mean infinite.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        training_counts: ``(items,)`` interactions of each item in the training data.

    Returns:
        ``(users,)`` float64, in bits; NaN for an empty list.

    Example: an item with half of all interactions is worth a bit, one with an eighth three.
    >>> novelty(np.array([[3, 4], [3, 0]]), np.array([4, 1, 3])).tolist()
    [2.0, 1.0]
    """
    shares = np.maximum(training_counts, 1) / max(training_counts.sum(), 1)
    bits = np.concatenate([np.zeros(NUM_SPECIAL_IDS), -np.log2(shares)])
    filled = np.count_nonzero(item_ids, axis=1)
    return np.where(filled, bits[item_ids].sum(axis=1) / np.maximum(filled, 1), np.nan)
