"""How often numbers of each size occur."""

import numpy as np


def integer_histogram(values: np.ndarray, bars: int = 24) -> tuple[list[str], np.ndarray]:
    """Counts of small numbers one by one, of larger ones in ranges that get ever wider.

    Args:
        values: ``(n,)`` integers, none negative.
        bars: About so many counts at most.

    Returns:
        A label for each range, and ``(ranges,)`` int64 counts.

    Example:
    >>> labels, counts = integer_histogram(np.array([1, 1, 2, 4]))
    >>> labels, counts.tolist()
    (['1', '2', '3', '4'], [2, 1, 0, 1])
    >>> integer_histogram(np.array([1, 900]), bars=3)[0]
    ['1-9', '10-92', '93-900']
    """
    if not len(values):
        return [], np.zeros(0, np.int64)
    low, high = int(values.min()), int(values.max()) + 1
    if high - low <= bars:
        edges = np.arange(low, high + 1)
    else:
        edges = np.unique(np.round(np.geomspace(max(low, 1), high, bars + 1)).astype(np.int64))
        edges = np.union1d([low], edges)
    counts, _ = np.histogram(values, edges)
    labels = [
        f"{first:,}" if first == last else f"{first:,}-{last:,}"
        for first, last in zip(edges[:-1].tolist(), (edges[1:] - 1).tolist(), strict=True)
    ]
    return labels, counts
