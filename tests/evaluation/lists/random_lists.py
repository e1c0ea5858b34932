"""Lists of distinct items, some shorter than others, and histories of any length."""

import numpy as np

from tf_iclrec.data.histories import Histories

NUM_ITEMS, NUM_USERS, K = 40, 60, 6


def random_lists(seed):
    """``(users, k)``, with lists of every length from none to full."""
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(NUM_ITEMS)[:K] + 3 for _ in range(NUM_USERS)], np.int32)
    for row, filled in zip(lists, rng.integers(0, K + 1, NUM_USERS), strict=True):
        row[filled:] = 0
    return lists


def random_histories(seed):
    lengths = np.random.default_rng(seed).integers(1, 15, NUM_USERS)
    items = np.random.default_rng(seed + 1).integers(3, NUM_ITEMS + 3, lengths.sum())
    ends = np.cumsum(lengths)
    return Histories(items.astype(np.int32), ends - lengths, ends)


def random_values(seed, known=0.7):
    """A value of five for each item id, or 1 = unknown."""
    rng = np.random.default_rng(seed)
    of_items = np.where(rng.random(NUM_ITEMS) < known, rng.integers(3, 8, NUM_ITEMS), 1)
    return np.concatenate([[0, 1, 2], of_items]).astype(np.int32)
