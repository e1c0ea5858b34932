"""A log with newer interactions added to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError

_EMPTY = ItemAttribute(Vocabulary([]), np.arange(NUM_SPECIAL_IDS, dtype=np.int32))


def append(old: Interactions, new: Interactions) -> Interactions:
    """Two logs as one, in which all that the old one knows keeps its internal id.

    Users, items and values that only the new log has follow after those of the old one. Within a
    user, interactions are ordered by time, the old ones first where times are equal; without times
    the new ones follow. What is known of an item in the new log wins.

    Args:
        old: The old log.
        new: The newer one, which has times and ratings if the old one has.

    Raises:
        UserError: If one has times or ratings and the other has not.

    Example:
    >>> old = Interactions.from_sequences({"ann": ["tea", "jam"]})
    >>> new = Interactions.from_sequences({"bob": ["egg"], "ann": ["egg", "tea"]})
    >>> log = append(old, new)
    >>> log.users.tolist(), log.items.ids.tolist()
    (['ann', 'bob'], ['jam', 'tea', 'egg'])
    >>> log.items.decode(log.item_ids).tolist()
    ['tea', 'jam', 'egg', 'tea', 'egg']
    """
    for what in ("times", "ratings"):
        if (getattr(old, what) is None) != (getattr(new, what) is None):
            which = "older" if getattr(new, what) is None else "newer"
            raise UserError(f"Only the {which} data has {what}: the two can't be put together.")
    users, new_users = _joined(Vocabulary(old.users), Vocabulary(new.users))
    items, new_items = _joined(old.items, new.items)
    user_codes = np.concatenate(
        [
            old.owners,
            np.repeat(new_users[NUM_SPECIAL_IDS:] - NUM_SPECIAL_IDS, new.lengths),
        ]
    )
    times = None if old.times is None else np.concatenate([old.times, new.times])
    keys = (user_codes,) if times is None else (times, user_codes)
    order = np.lexsort(keys)
    providers, own = None, None
    if old.providers is not None or new.providers is not None:
        providers, new_providers = _attribute(old.providers, new.providers, items, new_items)
        if old.own_provider_ids is not None or new.own_provider_ids is not None:
            own = np.concatenate([_own(old), new_providers[_own(new)].astype(np.int32)])[order]
    return dataclasses.replace(
        old,
        item_ids=np.concatenate([old.item_ids, new_items[new.item_ids]])[order].astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(user_codes, minlength=len(users)))]),
        users=users.ids,
        items=items,
        providers=providers,
        own_provider_ids=own,
        attributes=_attributes(old.attributes, new.attributes, items, new_items),
        labels=_attributes(old.labels, new.labels, items, new_items),
        times=None if times is None else times[order],
        ratings=None if old.ratings is None else np.concatenate([old.ratings, new.ratings])[order],
    )


def num_identical(log: Interactions) -> int:
    """How many interactions of a log are another one again: of the same user, item and time.

    Without times it is not known, 0.

    Example:
    >>> from tf_iclrec import load_interactions
    >>> import pandas as pd
    >>> rows = {"user": ["ann"] * 4, "item": ["tea", "jam", "tea", "tea"], "time": [1, 1, 1, 2]}
    >>> num_identical(load_interactions(pd.DataFrame(rows)))
    1
    """
    if log.times is None or not log.num_actions:
        return 0
    users = log.owners
    times = np.asarray(log.times)
    # They are ordered by user and time: those of one moment lie side by side.
    as_before = (np.diff(users) == 0) & (np.diff(times) == 0)
    tied = np.append(as_before, False) | np.append(False, as_before)
    keys = [column[tied] for column in (log.item_ids, times, users)]
    order = np.lexsort(keys)
    changes = [np.diff(column[order]) != 0 for column in keys]
    return int(np.count_nonzero(~np.logical_or.reduce(changes)))


def _joined(old: Vocabulary, new: Vocabulary) -> tuple[Vocabulary, np.ndarray]:
    """The ids of both, the old ones first, and the new internal ids of ``new`` by their own."""
    added = new.ids[old.encode(new.ids) == UNKNOWN_ID]
    joined = Vocabulary(np.concatenate([old.ids, added]))
    return joined, np.concatenate([np.arange(NUM_SPECIAL_IDS), joined.encode(new.ids)])


def _attributes(
    old: Mapping[str, ItemAttribute],
    new: Mapping[str, ItemAttribute],
    items: Vocabulary,
    new_items: np.ndarray,
) -> dict[str, ItemAttribute]:
    """`_attribute` for each name that one of them has, those of the old log first."""
    names = [*old, *(name for name in new if name not in old)]
    return {name: _attribute(old.get(name), new.get(name), items, new_items)[0] for name in names}


def _attribute(
    old: ItemAttribute | None, new: ItemAttribute | None, items: Vocabulary, new_items: np.ndarray
) -> tuple[ItemAttribute, np.ndarray]:
    """What both know of the items, and the new internal ids of the new values by their own."""
    old, new = old or _EMPTY, new or _EMPTY
    values, new_values = _joined(old.vocabulary, new.vocabulary)
    of_items = np.full(items.size, UNKNOWN_ID, dtype=np.int32)
    of_items[: len(old.of_items)] = old.of_items
    newer = new_values[new.of_items]
    known = newer >= NUM_SPECIAL_IDS
    of_items[new_items[: len(newer)][known]] = newer[known]
    return ItemAttribute(values, of_items), new_values


def _own(log: Interactions) -> np.ndarray:
    if log.own_provider_ids is None:
        return np.full(log.num_actions, UNKNOWN_ID, dtype=np.int32)
    return log.own_provider_ids
