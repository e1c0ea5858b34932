"""Leave-one-out: a user's last item is for the test, the one before for validation.

A split is nothing but the end of each user's visible history, so no sequence is copied.
"""

from typing import Literal

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError

Split = Literal["train", "valid", "test"]
# How many of the last items of a user a split hides from the model's input.
_HELD_OUT = {"train": 2, "valid": 2, "test": 1}
MIN_LENGTH = 3
_COUNTED_AT_ONCE = 1 << 24


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
