"""Leave-one-out: a user's last item is for the test, the one before for validation.

A split is nothing but the end of each user's visible history, so no sequence is copied.
"""

import dataclasses
from typing import Literal

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID
from tf_iclrec.errors import UserError

Split = Literal["train", "valid", "test"]
# How many of the last items of a user a split hides from the model's input.
_HELD_OUT = {"train": 2, "valid": 2, "test": 1}
MIN_LENGTH = 3
_COUNTED_AT_ONCE = 1 << 24


@dataclasses.dataclass(frozen=True)
class Histories:
    """What a model may see of each user in one split.

    Attributes:
        item_ids: The flat array of `Interactions`.
        starts: ``(users,)`` int64, where each history begins.
        ends: ``(users,)`` int64, one past its last item; for the splits ``valid`` and
            ``test``, ``item_ids[ends]`` is the target.
    """

    item_ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """``(users,)`` number of visible items."""
        return self.ends - self.starts

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

    def joined(self) -> "Histories":
        """The same histories one after the other in an array of their own."""
        ends = np.cumsum(self.lengths)
        shift = np.repeat(self.starts - ends + self.lengths, self.lengths)
        items = self.item_ids[np.arange(len(shift)) + shift]
        return Histories(items, ends - self.lengths, ends)

    def distinct(self) -> "Histories":
        """Each history as its distinct items in ascending order."""
        items = self.joined().item_ids.astype(np.int64)
        rows = np.repeat(np.arange(len(self.starts)), self.lengths)
        width = int(items.max(initial=0)) + 1
        pairs = np.unique(rows * width + items)
        counts = np.bincount(pairs // width, minlength=len(self.starts))
        ends = np.cumsum(counts)
        return Histories((pairs % width).astype(np.int32), ends - counts, ends)

    def padded(
        self,
        rows: np.ndarray,
        max_length: int | None = None,
        least: int = 1,
        distinct: bool = False,
    ) -> np.ndarray:
        """The last ``max_length`` items of some histories, or all.

        Args:
            rows: ``(batch,)`` which histories.
            max_length: The most items of each.
            least: The least width of the result.
            distinct: Whether to give each item once, in ascending order.

        Returns:
            ``(batch, time)`` int32, padded with 0 on the left to the longest of them.
        """
        starts, ends = self.starts[rows], self.ends[rows]
        width = int((ends - starts).max(initial=0))
        width = max(width if max_length is None else min(width, max_length), least)
        places = ends[:, np.newaxis] - width + np.arange(width)
        inside = places >= starts[:, np.newaxis]
        result = np.full(places.shape, PADDING_ID, dtype=np.int32)
        result[inside] = self.item_ids[places[inside]]
        if distinct:
            result.sort(axis=1)
            result[:, 1:][result[:, 1:] == result[:, :-1]] = PADDING_ID
            result.sort(axis=1)
        return result


def split_histories(interactions: Interactions, split: Split) -> Histories:
    """The histories of all users in a split."""
    if split not in _HELD_OUT:
        raise ValueError(f"split must be one of {', '.join(_HELD_OUT)}, not {split!r}.")
    starts, ends = interactions.offsets[:-1], interactions.offsets[1:]
    return Histories(interactions.item_ids, starts, ends - _HELD_OUT[split])


def training_counts(interactions: Interactions) -> np.ndarray:
    """``(items,)`` int64 number of interactions of each item in the training part: all but the
    last two items of each user."""
    item_ids, size = interactions.item_ids, interactions.items.size
    # NumPy counts 64-bit integers: a copy of some actions at a time.
    counts = np.zeros(size, dtype=np.int64)
    for first in range(0, len(item_ids), _COUNTED_AT_ONCE):
        counts += np.bincount(item_ids[first : first + _COUNTED_AT_ONCE], minlength=size)
    starts, ends = interactions.offsets[:-1], interactions.offsets[1:]
    for place in range(1, 1 + _HELD_OUT["train"]):
        held_out = (ends - place)[ends - place >= starts]
        counts -= np.bincount(item_ids[held_out], minlength=size)
    return counts[NUM_SPECIAL_IDS:]


def drop_short_users(interactions: Interactions) -> tuple[Interactions, int]:
    """Remove users with fewer than three items, who can't be split.

    Returns:
        The remaining interactions and the number of users removed.

    Raises:
        UserError: If no user is left.
    """
    long_enough = interactions.lengths >= MIN_LENGTH
    dropped = int((~long_enough).sum())
    if not long_enough.any():
        raise UserError(
            f"None of the {interactions.num_users} users has the {MIN_LENGTH} items that "
            "training, validation and test need."
        )
    if dropped:
        interactions = interactions.select(np.repeat(long_enough, interactions.lengths))
    return interactions, dropped
