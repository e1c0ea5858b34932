"""How unequally often items are recommended."""

import numpy as np

from tf_iclrec.evaluation.lists.exposure import exposure


def gini(item_ids: np.ndarray, num_items: int) -> float:
    """Gini index of how often each item is recommended: with the items' shares of all places in
    ascending order, ``sum((2j - n - 1) * share_j) / (n - 1)`` over ``j = 1...n`` (Shani and
    Gunawardana, Evaluating Recommendation Systems, Recommender Systems Handbook 2011, Item Space
    Coverage).

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
    counts = np.sort(exposure(item_ids, num_items))
    if not counts.sum() or num_items == 1:
        return 0.0 if counts.sum() else float("nan")
    weights = 2 * np.arange(1, num_items + 1) - num_items - 1
    return float(weights @ counts / (counts.sum() * (num_items - 1)))
