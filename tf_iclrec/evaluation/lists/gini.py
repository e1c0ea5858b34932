"""How unequally often items are recommended, or taken."""

import numpy as np

from tf_iclrec.evaluation.lists.exposure import exposure


def gini(item_ids: np.ndarray, num_items: int) -> float:
    """`gini_index` of how often each item is recommended.

    Items that are in no list count as well. As `coverage`, it depends on the number of lists.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        num_items: Items of the catalogue.

    Returns:
        0 if all items are recommended equally often, 1 if always the same one; NaN if none is.

    Example:
    >>> gini(np.array([[3, 4], [4, 3]]), num_items=2), gini(np.array([[3], [3]]), num_items=2)
    (0.0, 1.0)
    """
    return gini_index(exposure(item_ids, num_items))


def gini_index(counts: np.ndarray) -> float:
    """Gini index: with the shares of all counts in ascending order, ``sum((2j - n - 1) * share_j) /
    (n - 1)`` over ``j = 1...n`` (Shani and Gunawardana, Evaluating Recommendation Systems,
    Recommender Systems Handbook 2011, Item Space Coverage).

    Args:
        counts: ``(n,)`` of each item, or whatever there is.

    Returns:
        0 if all have the same, 1 if one has everything; NaN if there is nothing.

    Example:
    >>> gini_index(np.array([1, 7, 2]))
    0.6
    """
    total, number = counts.sum(), len(counts)
    if not total or number == 1:
        return 0.0 if total else float("nan")
    weights = 2 * np.arange(1, number + 1) - number - 1
    return float(weights @ np.sort(counts) / (total * (number - 1)))
