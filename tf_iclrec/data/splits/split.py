"""A log with its training part and what is held out of it."""

import dataclasses
import functools
import hashlib
from typing import Literal

import numpy as np

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError

HeldOutPart = Literal["valid", "test"]


def check_log(interactions: Interactions) -> None:
    """Make sure that a log is one.

    Raises:
        UserError: If it is something else, such as the table that it is to be made of.
    """
    if not isinstance(interactions, Interactions):
        raise UserError(
            f"interactions are a {type(interactions).__name__}, and a log is expected: "
            "load_interactions(table) makes one."
        )


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

    Example: the first two items are trained on, the next one is for validation and the last for
    the test.
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "egg", "oil"]})
    >>> parts = [Histories(log.item_ids, np.array([0]), np.array([end])) for end in (2, 3)]
    >>> held_out = [HeldOut(np.array([0]), one, log.item_ids[one.ends]) for one in parts]
    >>> split = Split(log, parts[0], *held_out).check()
    >>> log.items.decode(split.test.target_ids).tolist(), split.training_counts.tolist()
    (['oil'], [0, 1, 0, 1])
    """

    interactions: Interactions
    train: Histories
    valid: HeldOut
    test: HeldOut
    how: str = "as given"
    notes: tuple[str, ...] = ()
    everybody: Interactions | None = None

    def check(self) -> "Split":
        """Make sure of what a way of splitting must keep.

        Returns:
            The split.

        Raises:
            UserError: If parts differ in length, what follows a history is trained on, or a history
                is another user's.
        """
        if len(self.train.starts) != self.interactions.num_users:
            raise UserError(
                f"The split ({self.how}) has {len(self.train.starts)} training parts for "
                f"{self.interactions.num_users} users: each has one, which may be empty."
            )
        offsets = self.interactions.offsets
        if (self.train.starts < offsets[:-1]).any() or (self.train.ends > offsets[1:]).any():
            raise UserError(
                f"The split ({self.how}) trains users on what others did: a training part lies "
                "within the user's own interactions."
            )
        for part in ("valid", "test"):
            one = self.held_out(part)
            sizes = len(one.users), len(one.histories.starts), len(one.target_ids)
            if len(set(sizes)) > 1:
                raise UserError(
                    f"The split ({self.how}) has {sizes[0]} users, {sizes[1]} histories and "
                    f"{sizes[2]} targets in {part}: each target has one of both."
                )
            starts, ends = one.histories.starts, one.histories.ends
            if (starts < offsets[one.users]).any() or (ends > offsets[one.users + 1]).any():
                raise UserError(
                    f"The split ({self.how}) asks for a user's item by what others did, in {part}: "
                    "a history lies within the user's own interactions."
                )
            if (self.train.ends[one.users] > one.histories.ends).any():
                raise UserError(
                    f"The split ({self.how}) trains on what comes after histories of {part}, and "
                    "so on what is asked for: a training part ends where the first of them does."
                )
        return self

    def digest(self) -> str:
        """What is trained on and what is held out, as a SHA-256: equal for equal splits of a log.

        Example:
        >>> from tf_iclrec import leave_one_out
        >>> log = Interactions.from_sequences({"ann": "abcd", "bob": "abc"})
        >>> same, other = leave_one_out(log), leave_one_out(log.select(log.item_ids != 3))
        >>> leave_one_out(log).digest() == same.digest(), same.digest() == other.digest()
        (True, False)
        """
        found = hashlib.sha256()
        arrays = [self.train.starts, self.train.ends]
        for one in (self.valid, self.test):
            arrays += [one.users, one.histories.starts, one.histories.ends, one.target_ids]
        for array in arrays:
            # Of one type and order of bytes on every machine.
            found.update(np.ascontiguousarray(array, "<i8"))
        return found.hexdigest()

    def summary(self) -> str:
        """What is trained on and what is held out, a line, and the notes below it.

        Example:
        >>> from tf_iclrec import leave_one_out
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["tea"]})
        >>> print(leave_one_out(log).summary())
        Split: each user's last item for the test, the one before for validation: 1 users trained
        on, 1 validation targets, 1 test targets, 2 items never trained on
        Left out, with too few items to be split: 1 users.
        """
        untrained = int((self.training_counts == 0).sum())
        line = (
            f"Split: {self.how}: {self.num_trained} users trained on, "
            f"{len(self.valid.users)} validation targets, {len(self.test.users)} test targets, "
            f"{untrained} items never trained on"
        )
        return "\n".join([line, *self.notes])

    def held_out(self, part: HeldOutPart) -> HeldOut:
        """``valid`` or ``test``.

        Raises:
            ValueError: If another part is named.

        Example:
        >>> from tf_iclrec import leave_one_out
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"]})
        >>> test = leave_one_out(log).held_out("test")
        >>> log.items.decode(test.target_ids).tolist(), test.histories.lengths.tolist()
        (['oil'], [2])
        """
        if part not in ("valid", "test"):
            raise ValueError(f"A held-out part is valid or test, not {part!r}.")
        return getattr(self, part)

    @property
    def num_trained(self) -> int:
        """Users of whom something is in the training part."""
        return int((self.train.lengths > 0).sum())

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
        for users in self.interactions.blocks_of_users():
            part = self.interactions.actions_of(users)
            trained = self.train.rows(users).covers(part)
            counts += np.bincount(item_ids[part][trained], minlength=size)
        return counts[NUM_SPECIAL_IDS:]
