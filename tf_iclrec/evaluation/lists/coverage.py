"""How much of the catalogue is recommended to anyone."""

import numpy as np

from tf_iclrec.evaluation.lists.exposure import exposure


def coverage(item_ids: np.ndarray, num_items: int) -> float:
    """Share of the catalogue that is in at least one list: the catalogue coverage of Ge,
    Delgado-Battenfeld and Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage and
    Serendipity, RecSys 2010.

    It grows with the number of lists: compare it only between as many users.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        num_items: Items of the catalogue.

    Returns:
        From 0 to 1.

    Example:
    >>> coverage(np.array([[3, 4], [3, 5]]), num_items=4)
    0.75
    """
    return float(np.count_nonzero(exposure(item_ids, num_items)) / num_items)
