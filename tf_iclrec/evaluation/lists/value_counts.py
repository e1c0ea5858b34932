"""Values of items, counted row by row without a table of all values."""

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def value_counts(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...]:
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
    pairs, counts = np.unique(
        rows[known].astype(np.int64) * width + values[known], return_counts=True
    )
    return pairs // width, pairs % width, counts
