"""A log with its training part and what is held out of it."""

import dataclasses
import functools
from typing import Literal

import numpy as np

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

HeldOutPart = Literal["valid", "test"]
_COUNTED_AT_ONCE = 1 << 24


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Items to be found, each with what may be seen before it.

    Attributes:
        users: ``(n,)`` int64 rows of the users in the log, ascending; a user may have several.
        histories: ``n`` parts of their sequences.
        target_ids: ``(n,)`` int32 the item that follows each.
    """

    users: np.ndarray
    histories: Histories
    target_ids: np.ndarray


@dataclasses.dataclass(frozen=True)
class Split:
    """What a training, its evaluation and its export are made of.

    A way of splitting is a function from a log to one of these; nothing else knows how it was
    split.

    Attributes:
        interactions: The log, without users who can't be split.
        train: The training part of each user's sequence, for all users of the log.
        valid: What models are chosen by.
        test: What they are judged by.
        how: The way of splitting, in words.
        notes: What could not be used, a line each.
        everybody: The log with users who can't be split, if there are any: they are not trained on,
            but recommended to.
    """

    interactions: Interactions
    train: Histories
    valid: HeldOut
    test: HeldOut
    how: str = "as given"
    notes: tuple[str, ...] = ()
    everybody: Interactions | None = None

    def summary(self) -> str:
        """What is trained on and what is held out, a line, and the notes below it."""
        untrained = int((self.training_counts == 0).sum())
        line = (
            f"Split: {self.how}: {int((self.train.lengths > 0).sum())} users trained on, "
            f"{len(self.valid.users)} validation targets, {len(self.test.users)} test targets, "
            f"{untrained} items never trained on"
        )
        return "\n".join([line, *self.notes])

    def held_out(self, part: HeldOutPart) -> HeldOut:
        """``valid`` or ``test``."""
        if part not in ("valid", "test"):
            raise ValueError(f"A held-out part is valid or test, not {part!r}.")
        return getattr(self, part)

    @property
    def catalogue(self) -> Catalogue:
        """What a model must know of the log."""
        return self.interactions.catalogue

    def trained_rows(self, users: np.ndarray) -> np.ndarray:
        """Rows of users in the log as a model with a vector per user may know them: int32, -1 for
        those of whom nothing is in the training part."""
        return np.where(self.train.lengths[users] > 0, users, -1).astype(np.int32)

    @functools.cached_property
    def training_counts(self) -> np.ndarray:
        """``(items,)`` int64 number of interactions of each item in the training part."""
        item_ids, size = self.interactions.item_ids, self.interactions.items.size
        # NumPy counts 64-bit integers: a copy of some actions at a time.
        counts = np.zeros(size, dtype=np.int64)
        for first in range(0, len(item_ids), _COUNTED_AT_ONCE):
            part = slice(first, first + _COUNTED_AT_ONCE)
            counts += np.bincount(item_ids[part][self.train.covers(part)], minlength=size)
        return counts[NUM_SPECIAL_IDS:]
