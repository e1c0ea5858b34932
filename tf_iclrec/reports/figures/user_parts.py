"""A log in parts that fit into memory."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tf_iclrec.data.arrays import blocks_of_rows
from tf_iclrec.data.interactions import PER_ACTION, Interactions

_AT_ONCE = 1 << 21


def user_parts(log: Interactions, at_once: int = _AT_ONCE) -> Iterator[Interactions]:
    """The log of some users after the other, all with the same vocabularies.

    Args:
        log: Whose arrays may lie on disk: a part reads its own interactions.
        at_once: Most interactions of a part, unless a single user has more.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"], "bob": ["jam"], "cid": ["tea"]})
    >>> [part.users.tolist() for part in user_parts(log, at_once=2)]
    [['ann'], ['bob', 'cid']]
    """
    there = {name: one for name in PER_ACTION if (one := getattr(log, name)) is not None}
    for users in blocks_of_rows(log.offsets, at_once):
        offsets = log.offsets[users.start : users.stop + 1]
        # Not as np.memmap, whose every operation looks for the file.
        arrays = {name: np.asarray(one[log.actions_of(users)]) for name, one in there.items()}
        yield dataclasses.replace(
            log, offsets=offsets - offsets[0], users=log.users[users], **arrays
        )


def repeats_previous(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which values equal the one before of the same user.

    Args:
        values: ``(actions,)`` of one user after the other.
        offsets: ``(users + 1,)`` where each user starts.

    Returns:
        ``(actions,)`` bool.

    Example:
    >>> repeats_previous(np.array([7, 7, 7, 8]), np.array([0, 2, 4])).tolist()
    [False, True, False, False]
    """
    same = np.zeros(len(values), dtype=bool)
    same[1:] = values[1:] == values[:-1]
    same[offsets[offsets < len(values)]] = False
    return same
