"""How different the items of a list are, by provider, category or intent."""

import numpy as np

from tf_iclrec.evaluation.lists.value_counts import value_counts


def value_diversity(values: np.ndarray) -> np.ndarray:
    """Share of the pairs of each list's items that have different values: `vector_diversity` with a
    distance of 1 between different values and 0 between equal ones.

    Items whose value is unknown are in no pair: they might be of any.

    Args:
        values: ``(users, k)`` int32 internal ids of the items' values; below 3: no item, or
            unknown.

    Returns:
        ``(users,)`` float64 from 0, all alike, to 1, all different; NaN where fewer than two values
        are known.

    Example: of three pairs two differ; the unknown value of the second list leaves one, alike.
    >>> value_diversity(np.array([[3, 3, 4], [3, 1, 3]])).round(3).tolist()
    [0.667, 0.0]
    """
    users, k = values.shape
    rows, _, counts = value_counts(np.repeat(np.arange(users), k), values.ravel())
    known = np.bincount(rows, counts, users)
    alike = np.bincount(rows, counts * (counts - 1), users)
    pairs = known * (known - 1)
    return np.where(pairs > 0, 1.0 - alike / np.maximum(pairs, 1), np.nan)
