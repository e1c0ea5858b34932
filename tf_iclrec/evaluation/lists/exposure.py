"""How often each item is recommended."""

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def exposure(item_ids: np.ndarray, num_items: int) -> np.ndarray:
    """In how many lists each item is.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        num_items: Items of the catalogue.

    Returns:
        ``(items,)`` int64.

    Example:
    >>> exposure(np.array([[3, 4], [3, 0]]), num_items=3).tolist()
    [2, 1, 0]
    """
    counts = np.bincount(item_ids.ravel(), minlength=num_items + NUM_SPECIAL_IDS)
    return counts[NUM_SPECIAL_IDS:]
