"""Fewer interactions: repeats, the k-core, groups of users, by array arithmetic in blocks over the
flat arrays.

The arrays may be files that are larger than memory; what is held is a bit more than a byte per
interaction and some numbers per user and item.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.errors import UserError


@dataclasses.dataclass(frozen=True)
class Size:
    """How much there is of a log."""

    users: int
    items: int
    actions: int


def kept_of_repeats(log: Interactions, repeats: str) -> np.ndarray:
    """Which interactions stay, ``(actions,)`` bool.

    Args:
        log: The log.
        repeats: Of several interactions of a user with an item: ``"keep"`` all, the ``"first"``,
            the ``"last"``, or ``"drop-consecutive"`` ones but for the first.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "tea", "jam", "tea"]})
    >>> kept_of_repeats(log, "first").astype(int).tolist()
    [1, 0, 1, 0]
    >>> kept_of_repeats(log, "drop-consecutive").astype(int).tolist()
    [1, 0, 1, 1]
    """
    kept = np.ones(log.num_actions, dtype=bool)
    if repeats == "keep":
        return kept
    for block in log.blocks_of_users():
        part = log.actions_of(block)
        items, lengths = np.asarray(log.item_ids[part]), log.lengths[block]
        users = np.repeat(np.arange(len(lengths)), lengths)
        if repeats == "drop-consecutive":
            kept[part][1:] = (items[1:] != items[:-1]) | (users[1:] != users[:-1])
            continue
        pairs = users * log.items.size + items
        chosen = np.zeros(len(pairs), dtype=bool)
        if repeats == "last":
            chosen[len(pairs) - 1 - np.unique(pairs[::-1], return_index=True)[1]] = True
        else:
            chosen[np.unique(pairs, return_index=True)[1]] = True
        kept[part] = chosen
    return kept


def kept_in_core(
    log: Interactions, kept: np.ndarray, min_user_count: int, min_item_count: int
) -> tuple[np.ndarray, list[Size]]:
    """The largest part in which every user and every item has as many interactions as it needs.

    Users and items with fewer go, until none is left that has fewer.

    Args:
        log: The log.
        kept: ``(actions,)`` bool, what is there at the beginning; it is changed.
        min_user_count: Interactions that a user needs.
        min_item_count: Interactions that an item needs.

    Returns:
        ``kept``, and the size before and after each round.

    Raises:
        UserError: If nothing is left.
    """
    rounds = []
    while True:
        of_users, of_items = log.counts(kept)
        rounds.append(
            Size(
                int(np.count_nonzero(of_users)),
                int(np.count_nonzero(of_items)),
                int(of_users.sum()),
            )
        )
        if not rounds[-1].actions:
            raise UserError(
                f"No user and item is left in the core of at least {min_user_count} interactions "
                f"per user and {min_item_count} per item: use a smaller --min-user-count or "
                "--min-item-count."
            )
        rare_users = (of_users > 0) & (of_users < min_user_count)
        rare_items = (of_items > 0) & (of_items < min_item_count)
        if not rare_users.any() and not rare_items.any():
            return kept, rounds
        for block in log.blocks_of_users():
            part = log.actions_of(block)
            kept[part] &= ~np.repeat(rare_users[block], log.lengths[block])
            kept[part] &= ~rare_items[log.item_ids[part]]


def kept_of_length_group(
    log: Interactions, kept: np.ndarray, number: int, groups: int
) -> np.ndarray:
    """The interactions of the users in one of several equally large groups, from the shortest to
    the longest sequences; who is as long as others is in one group or another by chance, always the
    same.

    ICLRec's groups (Sec. 5.3, Fig. 3): as many sequences in each.

    Args:
        log: The log.
        kept: ``(actions,)`` bool, what counts; it is changed.
        number: Of the group, from 1.
        groups: How many there are.

    Raises:
        UserError: If there are fewer users than groups.

    Example:
    >>> log = Interactions.from_sequences({"ann": "abc", "bob": "a", "cat": "ab"})
    >>> kept = kept_of_length_group(log, np.ones(6, dtype=bool), 3, 3)
    >>> log.select(kept).users.tolist()
    ['ann']
    """
    of_users, _ = log.counts(kept)
    users = np.random.default_rng(0).permutation(np.flatnonzero(of_users))
    if len(users) < groups:
        raise UserError(f"{len(users)} users can't be divided into {groups} groups.")
    in_order = users[np.argsort(of_users[users], kind="stable")]
    is_member = np.zeros(log.num_users, dtype=bool)
    is_member[np.array_split(in_order, groups)[number - 1]] = True
    for block in log.blocks_of_users():
        kept[log.actions_of(block)] &= np.repeat(is_member[block], log.lengths[block])
    return kept
