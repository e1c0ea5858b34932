"""Values of items, counted row by row without a table of all values."""

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def value_counts(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each value occurs in each row; unknown values are left out.

    Args:
        rows: ``(n,)`` number of the row in which a value is.
        values: ``(n,)`` internal ids of values, such as `ItemAttribute.of_items` gives; below 3:
            padding or unknown.

    Returns:
        Row, value and count, ``(m,)`` int64 each, by row and then by value.

    Example:
    >>> [part.tolist() for part in value_counts(np.array([0, 0, 0, 1]), np.array([5, 5, 1, 3]))]
    [[0, 1], [5, 3], [2, 1]]
    """
    known = values >= NUM_SPECIAL_IDS
    width = int(values.max(initial=0)) + 1
    return count_pairs(rows[known], values[known], width)


def count_pairs(
    rows: np.ndarray, ids: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct pairs of two parallel arrays, sorted, and how often each occurs.

    Args:
        rows: ``(n,)`` integers from 0.
        ids: ``(n,)`` integers from 0 to ``size - 1``.
        size: Number of possible ids.

    Returns:
        Rows, ids and counts, each ``(pairs,)`` int64.

    Example:
    >>> [found.tolist() for found in count_pairs(np.array([0, 0, 1]), np.array([5, 5, 3]), 6)]
    [[0, 1], [5, 3], [2, 1]]
    """
    pairs, counts = np.unique(rows.astype(np.int64) * size + ids, return_counts=True)
    return *np.divmod(pairs, size), counts
