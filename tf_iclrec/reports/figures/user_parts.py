"""A log in parts that fit into memory."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tf_iclrec.data.interactions import Interactions

_AT_ONCE = 1 << 21
_PER_ACTION = ("item_ids", "own_provider_ids", "times", "ratings")


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
    first = 0
    while first < log.num_users:
        most = log.offsets[first] + at_once
        last = max(first + 1, int(np.searchsorted(log.offsets, most, "right")) - 1)
        offsets = log.offsets[first : last + 1]
        place = slice(offsets[0], offsets[-1])
        there = {name: getattr(log, name) for name in _PER_ACTION}
        # Not as np.memmap, whose every operation looks for the file.
        arrays = {name: np.asarray(one[place]) for name, one in there.items() if one is not None}
        yield dataclasses.replace(
            log,
            offsets=offsets - offsets[0],
            users=log.users[first:last],
            **arrays,
        )
        first = last


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
