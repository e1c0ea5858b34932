"""Sequences of users as parts of one flat array: nothing is copied until it is asked for."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tf_iclrec.data.vocabulary import PADDING_ID


@dataclasses.dataclass(frozen=True)
class Histories:
    """A part of each user's sequence, such as what a model may see.

    Attributes:
        item_ids: The flat array of `Interactions`.
        starts: ``(users,)`` int64, where each history begins.
        ends: ``(users,)`` int64, one past its last item.
    """

    item_ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """``(users,)`` number of visible items."""
        return self.ends - self.starts

    @property
    def owners(self) -> np.ndarray:
        """``(visible items,)`` int64 the history of each, one after the other as in `joined`."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    def batches_by_length(self, size: int) -> Iterator[np.ndarray]:
        """Numbers of the histories, those of a like length together, the shortest first.

        Args:
            size: Histories in a batch; the last one may have fewer.

        Returns:
            ``(size,)`` int64 for each batch.

        Example:
        >>> histories = Histories(np.arange(6), np.array([0, 3, 4]), np.array([3, 4, 6]))
        >>> [rows.tolist() for rows in histories.batches_by_length(2)]
        [[1, 2], [0]]
        """
        by_length = np.argsort(self.lengths, kind="stable")
        return (by_length[start : start + size] for start in range(0, len(by_length), size))

    def longer_than(self, length: int) -> "Histories":
        """Only the histories with more than ``length`` items."""
        return self.rows(np.flatnonzero(self.lengths > length))

    def rows(self, rows: np.ndarray) -> "Histories":
        """Only some of the histories, by number."""
        return dataclasses.replace(self, starts=self.starts[rows], ends=self.ends[rows])

    def without_last(self) -> "Histories":
        """Each history but for its last item: the inputs of a training."""
        return dataclasses.replace(self, ends=self.ends - 1)

    def without_first(self) -> "Histories":
        """Each history but for its first item: the targets of a training."""
        return dataclasses.replace(self, starts=self.starts + 1)

    def last(self, length: int) -> "Histories":
        """The last ``length`` items of each history."""
        return dataclasses.replace(self, starts=np.maximum(self.starts, self.ends - length))

    def windows(self, length: int, lead: int = 1) -> tuple["Histories", np.ndarray]:
        """Histories in windows from their ends on, each of ``length`` items that are in no other
        window, and the ``lead`` items before them.

        Args:
            length: Items of a window that are its own.
            lead: With 1, every item but a history's first follows another one once.

        Returns:
            The windows, those of a history one after the other and the last of it first; and
            ``(windows,)`` int64 whose each is.

        Example:
        >>> items = np.arange(11, 19, dtype=np.int32)
        >>> windows, owners = Histories(items, np.array([0, 6]), np.array([6, 8])).windows(2)
        >>> [windows.padded(np.array([row]))[0].tolist() for row in range(4)]
        [[14, 15, 16], [12, 13, 14], [11, 12], [17, 18]]
        >>> owners.tolist()
        [0, 0, 0, 1]
        """
        counts = np.maximum(-(-(self.lengths - lead) // length), 1)
        owners = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        ends = self.ends[owners] - number * length
        windows = dataclasses.replace(self, starts=self.starts[owners], ends=ends)
        return windows.last(length + lead), owners

    def covers(self, part: slice) -> np.ndarray:
        """Which items of a part of the flat array are in a history, ``(items,)`` bool; for
        histories that are disjoint."""
        first, last, _ = part.indices(len(self.item_ids))
        edges = np.zeros(last - first + 1, dtype=np.int32)
        # A history that began earlier covers the part from its beginning on.
        np.add.at(edges, np.clip(self.starts - first, 0, last - first), 1)
        np.add.at(edges, np.clip(self.ends - first, 0, last - first), -1)
        return np.cumsum(edges[:-1]) > 0

    def joined(self) -> "Histories":
        """The same histories one after the other in an array of their own."""
        ends = np.cumsum(self.lengths)
        shift = np.repeat(self.starts - ends + self.lengths, self.lengths)
        items = self.item_ids[np.arange(len(shift)) + shift]
        return Histories(items, ends - self.lengths, ends)

    def distinct(self) -> "Histories":
        """Each history as its distinct items in ascending order."""
        items, owners = self.joined().item_ids, self.owners
        # Sorted together, which leaves each history where it is; `np.unique` takes many times as
        # long.
        first = owners * (int(items.max(initial=0)) + 1)
        items = np.sort(first + items) - first
        is_new = np.ones(len(items), dtype=bool)
        is_new[1:] = (items[1:] != items[:-1]) | (owners[1:] != owners[:-1])
        counts = np.bincount(owners[is_new], minlength=len(self.starts))
        ends = np.cumsum(counts)
        return Histories(items[is_new].astype(np.int32), ends - counts, ends)

    def padded(
        self,
        rows: np.ndarray,
        max_length: int | None = None,
        least: int = 1,
        distinct: bool = False,
        needed: np.ndarray | None = None,
    ) -> np.ndarray:
        """The last ``max_length`` items of some histories, or all.

        Args:
            rows: ``(batch,)`` which histories.
            max_length: The most items of each.
            least: The least width of the result.
            distinct: Whether to give each item once, in ascending order.
            needed: ``(batch,)`` bool, which of them are read; the others are all padding.

        Returns:
            ``(batch, time)`` int32, padded with 0 on the left to the longest of them; of distinct
            items, to the longest of those that are read.
        """
        some = self.rows(rows)
        if max_length is not None:
            some = some.last(max_length)
        width = some.lengths.max(initial=least)
        if needed is not None:
            some = dataclasses.replace(some, starts=np.where(needed, some.starts, some.ends))
        if distinct:
            # Before there is a rectangle: one history may be far longer than there are items.
            some = some.distinct()
            width = some.lengths.max(initial=least)
        places = some.ends[:, np.newaxis] - width + np.arange(width)
        inside = places >= some.starts[:, np.newaxis]
        result = np.full(places.shape, PADDING_ID, dtype=np.int32)
        result[inside] = some.item_ids[places[inside]]
        return result
