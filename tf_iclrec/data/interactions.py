"""Who interacted with what, in order: one flat array for all users.

A log becomes two arrays: the items of all users one after the other, and the offsets at which
each user starts. Everything downstream (splits, batches, counts) is array arithmetic on them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import ItemAttribute, special_ids_and
from tf_iclrec.data.tables import as_numbers, as_text
from tf_iclrec.data.times import as_microseconds
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Interactions:
    """Chronological item sequences of all users.

    Attributes:
        item_ids: ``(actions,)`` int32 internal item ids, user after user, oldest first.
        offsets: ``(users + 1,)`` int64; user ``u`` owns ``item_ids[offsets[u]:offsets[u + 1]]``.
        users: ``(users,)`` raw user ids as strings.
        items: The item vocabulary.
        providers: The provider of each item, where providers are known at all.
        own_provider_ids: ``(actions,)`` int32 internal ids of the providers that were recorded
            with the interactions themselves, 1 = not recorded; None if none was.
        attributes: What else is known of the items, by name.
        times: ``(actions,)`` int64 microseconds since 1970 (UTC), where times are known; they
            don't fall within a user.
        ratings: ``(actions,)`` float32, where they were asked for.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"], "bob": ["jam"]})
    >>> log.num_users, log.num_items, log.num_actions
    (2, 2, 3)
    >>> log.items.decode(log.item_ids).tolist()
    ['tea', 'jam', 'jam']
    """

    item_ids: np.ndarray
    offsets: np.ndarray
    users: np.ndarray
    items: Vocabulary
    providers: ItemAttribute | None = None
    own_provider_ids: np.ndarray | None = None
    attributes: Mapping[str, ItemAttribute] = dataclasses.field(default_factory=dict)
    times: np.ndarray | None = None
    ratings: np.ndarray | None = None

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.items)

    @property
    def num_actions(self) -> int:
        return len(self.item_ids)

    @property
    def catalogue(self) -> Catalogue:
        """What a model must know of the log before it sees it."""
        return Catalogue(self.num_items, self.num_users, self.providers, self.attributes)

    @property
    def lengths(self) -> np.ndarray:
        """``(users,)`` number of interactions of each user."""
        return np.diff(self.offsets)

    @property
    def provider_ids(self) -> np.ndarray | None:
        """``(actions,)`` int32 internal provider ids: the interaction's own where it was
        recorded, otherwise the item's; None without providers."""
        if self.providers is None:
            return None
        of_items = self.providers.of_items[self.item_ids]
        if self.own_provider_ids is None:
            return of_items
        return np.where(self.own_provider_ids == UNKNOWN_ID, of_items, self.own_provider_ids)

    @classmethod
    def from_sequences(cls, sequences: dict[str, Sequence[str]]) -> Interactions:
        """From a dict of raw user id to raw item ids, oldest first."""
        users = np.asarray(list(sequences), dtype=object)
        lengths = np.fromiter(map(len, sequences.values()), np.int64, len(sequences))
        raw = [str(item) for items in sequences.values() for item in items]
        codes = np.repeat(np.arange(len(users)), lengths)
        return cls.from_columns(codes, users, np.asarray(raw, dtype=object))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user_column: str = "user_id",
        item_column: str = "item_id",
        time_column: str = "timestamp",
        provider_column: str = "provider",
    ) -> Interactions:
        """From a table with one row per interaction.

        Rows are ordered by time within a user; rows of the same time keep their order.

        Args:
            frame: Any number of columns; three or four of them are read.
            user_column: Name of the column with the user id.
            item_column: Name of the column with the item id.
            time_column: Name of the column with the time: numbers, dates or ISO 8601 text.
            provider_column: Name of the column with the provider, if there is one; an empty
                cell means unknown. The most frequent one of an item is the item's.

        Raises:
            UserError: If a column is missing, an id is empty or a time can't be read.
        """
        import pandas as pd

        names = (user_column, item_column, time_column)
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise UserError(
                f"No column {', '.join(map(repr, missing))}. Columns there are: "
                f"{', '.join(map(str, frame.columns))}. Name yours with --user-column, "
                "--item-column and --time-column."
            )
        for name in (user_column, item_column):
            empty = (frame[name].isna() | (frame[name].astype(str) == "")).to_numpy()
            if empty.any():
                raise UserError(f"Row {int(empty.argmax()) + 1} has no value in column {name!r}.")
        if frame.empty:
            raise UserError("The table has a header and no rows.")
        times = as_microseconds(as_numbers(frame[time_column]))
        order = np.argsort(times, kind="stable")
        users, user_ids = pd.factorize(frame[user_column].astype(str), sort=False)
        order = order[np.argsort(users[order], kind="stable")]
        raw = frame[item_column].astype(str).to_numpy(dtype=object)
        user_ids = np.asarray(user_ids, dtype=object)
        log = cls.from_columns(users[order], user_ids, raw[order], times[order])
        if provider_column not in frame.columns:
            return log
        providers = as_text(frame[provider_column]).to_numpy(dtype=object)
        return log._with_own_providers(providers[order])

    @classmethod
    def from_columns(
        cls,
        user_codes: np.ndarray,
        users: np.ndarray,
        raw_items: np.ndarray,
        times: np.ndarray | None = None,
    ) -> Interactions:
        """From parallel arrays that are already sorted by user, then by time.

        Args:
            user_codes: ``(actions,)`` index into ``users``, non-decreasing.
            users: ``(users,)`` raw user ids.
            raw_items: ``(actions,)`` raw item ids, integers or strings; the vocabulary is
                in their sorted order.
            times: ``(actions,)`` microseconds since 1970, if they are known.
        """
        import pandas as pd

        codes, unique = pd.factorize(raw_items, sort=True)
        counts = np.bincount(user_codes, minlength=len(users))
        return cls(
            item_ids=(codes + NUM_SPECIAL_IDS).astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            users=np.asarray(users, dtype=object),
            items=Vocabulary(np.asarray(unique).astype(str)),
            times=times,
        )

    def with_item_providers(self, providers: Mapping[str, str]) -> Interactions:
        """The same sequences with a provider for each item.

        Args:
            providers: Raw provider by raw item id. An item that is not there or has ``""`` has
                an unknown provider, or the one it had before.

        Raises:
            UserError: If no item of the data is in ``providers``.

        Example:
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
        >>> log = log.with_item_providers({"tea": "acme"})
        >>> log.provider_ids.tolist(), log.providers.vocabulary.ids.tolist()
        ([3, 1], ['acme'])
        """
        of_items, own = ItemAttribute.from_values(self.items, providers), self.own_provider_ids
        if self.providers is not None:
            of_items, renumbered = of_items.or_else(self.providers)
            own = None if own is None else renumbered[own]
        return dataclasses.replace(self, providers=of_items, own_provider_ids=own)

    def with_item_attribute(self, name: str, values: Mapping[str, str]) -> Interactions:
        """The same sequences with something else that is known of each item.

        Args:
            name: Such as ``"category"``; an attribute of this name is replaced.
            values: Raw value by raw item id. An item that is not there or has ``""`` has an
                unknown value.

        Raises:
            UserError: If no item of the data is in ``values``.

        Example:
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
        >>> log = log.with_item_attribute("category", {"tea": "drinks"})
        >>> log.attributes["category"].of_items.tolist()
        [0, 1, 2, 1, 3]
        """
        attribute = ItemAttribute.from_values(self.items, values)
        return dataclasses.replace(self, attributes={**self.attributes, name: attribute})

    def _with_own_providers(self, raw: np.ndarray) -> Interactions:
        """With the raw provider ``(actions,)`` of each interaction, ``""`` = unknown."""
        vocabulary = Vocabulary(np.unique(raw[raw != ""].astype(str)))
        own = vocabulary.encode(raw)
        # The most frequent known provider of each item, the first of those with a tie.
        known = own != UNKNOWN_ID
        pairs, counts = np.unique(
            self.item_ids[known].astype(np.int64) * vocabulary.size + own[known],
            return_counts=True,
        )
        of_items = special_ids_and(np.full(self.num_items, UNKNOWN_ID))
        pairs = pairs[np.argsort(-counts, kind="stable")]
        items, best = np.unique(pairs // vocabulary.size, return_index=True)
        of_items[items] = pairs[best] % vocabulary.size
        return dataclasses.replace(
            self, providers=ItemAttribute(vocabulary, of_items), own_provider_ids=own
        )

    def with_vocabulary(self, items: Vocabulary) -> Interactions:
        """The same sequences under another vocabulary that holds every item of this one.

        Raises:
            UserError: If an item of the data is not in ``items``.
        """
        new_ids = items.encode(self.items.ids)
        if (new_ids < NUM_SPECIAL_IDS).any():
            stranger = self.items.ids[(new_ids < NUM_SPECIAL_IDS).argmax()]
            raise UserError(f"Item {stranger!r} of the data is not in the vocabulary.")
        remapped = new_ids[self.item_ids - NUM_SPECIAL_IDS]
        providers = self.providers
        if providers is not None:
            providers = providers.with_item_vocabulary(new_ids, len(items))
        attributes = {
            name: attribute.with_item_vocabulary(new_ids, len(items))
            for name, attribute in self.attributes.items()
        }
        return dataclasses.replace(
            self, item_ids=remapped, items=items, providers=providers, attributes=attributes
        )

    def select(self, keep: np.ndarray) -> Interactions:
        """The actions for which ``keep`` ``(actions,)`` is true; users, items and providers
        that have none left are gone from the result."""
        user_codes = np.repeat(np.arange(self.num_users), self.lengths)[keep]
        kept_users, user_codes = np.unique(user_codes, return_inverse=True)
        used, codes = np.unique(self.item_ids[keep], return_inverse=True)
        counts = np.bincount(user_codes, minlength=len(kept_users))
        providers = own = None
        if self.providers is not None:
            own = None if self.own_provider_ids is None else self.own_provider_ids[keep]
            providers, renumbered = self.providers.select(used, () if own is None else own)
            own = None if own is None else renumbered[own]
        return Interactions(
            item_ids=(codes + NUM_SPECIAL_IDS).astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            users=self.users[kept_users],
            items=Vocabulary(self.items.ids[used - NUM_SPECIAL_IDS]),
            providers=providers,
            own_provider_ids=own,
            attributes={name: one.select(used)[0] for name, one in self.attributes.items()},
            times=None if self.times is None else self.times[keep],
            ratings=None if self.ratings is None else self.ratings[keep],
        )

    def core(self, k: int) -> Interactions:
        """The k-core: users and items with fewer than ``k`` actions are removed until every
        one that is left has at least ``k``.

        Raises:
            UserError: If nothing is left.
        """
        users = np.repeat(np.arange(self.num_users), self.lengths)
        keep = np.ones(self.num_actions, dtype=bool)
        while True:
            user_counts = np.bincount(users[keep], minlength=self.num_users)
            item_counts = np.bincount(self.item_ids[keep], minlength=self.items.size)
            rare = keep & ((user_counts[users] < k) | (item_counts[self.item_ids] < k))
            if not rare.any():
                break
            keep &= ~rare
        if not keep.any():
            raise UserError(f"No user and item is left in the {k}-core. Use a smaller --core.")
        return self if keep.all() else self.select(keep)

    def first_occurrences(self) -> Interactions:
        """Only the first action of each user with each item."""
        users = np.repeat(np.arange(self.num_users), self.lengths)
        keep = np.zeros(self.num_actions, dtype=bool)
        pairs = users.astype(np.int64) * self.items.size + self.item_ids
        keep[np.unique(pairs, return_index=True)[1]] = True
        return self.select(keep)
