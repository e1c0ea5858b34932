"""Long arrays, a part at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

# Entries that are worked on at a time.
BLOCK = 1 << 22
# From a name, a type and a length to a new array.
Allocate = Callable[[str, np.dtype, int], np.ndarray]


def in_memory(name: str, dtype: np.dtype, length: int) -> np.ndarray:
    """A new array in memory; one way to allocate."""
    return np.empty(length, dtype)


def in_files(folder: Path) -> Allocate:
    """A way to allocate: each array is a new file of a folder, read and written through memory
    as it is needed."""
    made: list[str] = []

    def allocate(name: str, dtype: np.dtype, length: int) -> np.ndarray:
        made.append(name)
        path = folder / f"{len(made)}_{name}.npy"
        if not length:
            return np.empty(0, dtype)
        return np.lib.format.open_memmap(path, "w+", dtype, (length,))

    return allocate


def blocks(length: int) -> Iterator[slice]:
    """The parts of an array of some length.

    Example:
    >>> list(blocks(3))
    [slice(0, 3, None)]
    """
    for first in range(0, length, BLOCK):
        yield slice(first, min(first + BLOCK, length))


def blocks_of_rows(offsets: np.ndarray, most: int | None = None) -> Iterator[slice]:
    """Runs of rows that have some entries together, or one row with more.

    Args:
        offsets: ``(rows + 1,)`` where each row starts.
        most: Entries. Defaults to `BLOCK`.

    Example:
    >>> list(blocks_of_rows(np.array([0, 5, 6, 8]), most=3))
    [slice(0, 1, None), slice(1, 3, None)]
    """
    first, most = 0, most or BLOCK
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield slice(first, last)
        first = last


def most_frequent(
    rows: np.ndarray, values: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The value that occurs most in each row; the first of those that do as often.

    Args:
        rows: ``(n,)`` integers.
        values: ``(n,)`` of each row, every value once.
        counts: ``(n,)`` how often it occurs.

    Returns:
        The rows, ascending, and the value of each.

    Example:
    >>> rows, values, counts = np.array([[4, 5, 1], [4, 6, 2], [4, 8, 2], [7, 5, 1]]).T
    >>> [found.tolist() for found in most_frequent(rows, values, counts)]
    [[4, 7], [6, 5]]
    """
    order = np.argsort(-counts, kind="stable")
    rows, first = np.unique(rows[order], return_index=True)
    return rows, values[order[first]]
