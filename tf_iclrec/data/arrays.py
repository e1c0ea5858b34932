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
