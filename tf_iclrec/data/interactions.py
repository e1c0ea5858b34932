"""Who interacted with what, in order: one flat array for all users.

A log becomes two arrays: the items of all users one after the other, and the offsets at which
each user starts. Everything downstream (splits, batches, counts) is array arithmetic on them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tf_iclrec.data.arrays import Allocate, blocks, blocks_of_rows, in_memory, most_frequent
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import TITLE, ItemAttribute, check_name, special_ids_and
from tf_iclrec.data.tables import ids_as_text
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError

# The arrays with an entry for each interaction.
PER_ACTION = ("item_ids", "own_provider_ids", "times", "ratings")


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
        attributes: What else models may know of the items, by name.
        labels: What describes the items to people alone, by name; ``"title"`` is their title.
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
    labels: Mapping[str, ItemAttribute] = dataclasses.field(default_factory=dict)
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
        return Catalogue(
            self.num_items, self.num_users, self.providers, self.attributes, self.labels
        )

    @property
    def titles(self) -> np.ndarray | None:
        """``(items,)`` titles as text, ``""`` = none; None where no item has one."""
        if TITLE not in self.labels:
            return None
        titles = self.labels[TITLE]
        return titles.vocabulary.raw_ids[titles.of_items[NUM_SPECIAL_IDS:]]

    @property
    def known_of_items(self) -> dict[str, ItemAttribute]:
        """All by which items can be told from each other; see `Catalogue`."""
        return self.catalogue.known_of_items

    @property
    def lengths(self) -> np.ndarray:
        """``(users,)`` number of interactions of each user."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> np.ndarray:
        """``(actions,)`` int64 the row of the user of each interaction."""
        return np.repeat(np.arange(self.num_users), self.lengths)

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
    def from_sequences(cls, sequences: Mapping[str, Sequence[str]]) -> Interactions:
        """From a dict of raw user id to raw item ids, oldest first; numbers become text.

        Raises:
            UserError: If an item is missing, or two users have the same id as text.

        Example:
        >>> log = Interactions.from_sequences({7: [12, 3], 8: [3]})
        >>> log.users.tolist(), log.items.decode(log.item_ids).tolist(), log.offsets.tolist()
        (['7', '8'], ['12', '3', '3'], [0, 2, 3])
        """
        import pandas as pd

        users = np.asarray(list(sequences), dtype=object)
        lengths = np.fromiter(map(len, sequences.values()), np.int64, len(sequences))
        raw = pd.Series([item for items in sequences.values() for item in items])
        codes = np.repeat(np.arange(len(users)), lengths)
        return cls.from_columns(codes, users, ids_as_text(raw).to_numpy(object))

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
            users: ``(users,)`` raw user ids, integers or strings.
            raw_items: ``(actions,)`` raw item ids, integers or strings; the vocabulary is
                in their sorted order.
            times: ``(actions,)`` microseconds since 1970, if they are known.

        Raises:
            UserError: If an item is missing (None, NaN or ``""``), two users have the same id as
                text, or interactions are not sorted.

        Example:
        >>> users, items = np.array(["ann", "bob"]), np.array(["tea", "jam", "tea"])
        >>> log = Interactions.from_columns(np.array([0, 0, 1]), users, items)
        >>> log.lengths.tolist(), log.items.ids.tolist(), log.item_ids.tolist()
        ([2, 1], ['jam', 'tea'], [4, 3, 4])
        """
        import pandas as pd

        # No differences: those of numbers without a sign are never negative.
        if (user_codes[1:] < user_codes[:-1]).any():
            raise UserError("Users are out of order: sort the interactions by user and time.")
        codes, unique = pd.factorize(raw_items, sort=True)
        # Not as one array of text, in which each takes as much as the longest one.
        items = [str(item) for item in unique]
        missing = codes < 0
        if "" in items:
            missing |= codes == items.index("")
        if missing.any():
            number = int(missing.argmax()) + 1
            raise UserError(f"Interaction {number} of the log has no item: leave it out.")
        users = pd.Index([str(user) for user in users], dtype=object)
        if not users.is_unique:
            raise UserError(f"Two users have the id {users[users.duplicated()][0]!r}.")
        counts = np.bincount(user_codes, minlength=len(users))
        log = cls(
            item_ids=(codes + NUM_SPECIAL_IDS).astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            users=users.to_numpy(),
            items=Vocabulary(items),
            times=times,
        )
        if log.times_fall():
            raise UserError("Times fall within a user: sort the interactions by user and time.")
        return log

    def with_item_providers(self, providers: Mapping[str, str]) -> Interactions:
        """The same sequences with a provider for each item.

        Args:
            providers: Raw provider by raw item id. An item that is not there or has ``""``, None or
                NaN has an unknown provider, or the one it had before.

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
            values: Raw value by raw item id. An item that is not there or has ``""``, None or NaN
                has an unknown value.

        Raises:
            UserError: If no item of the data is in ``values``, or the name holds a ``=``.

        Example:
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
        >>> log = log.with_item_attribute("category", {"tea": "drinks"})
        >>> log.attributes["category"].of_items.tolist()
        [0, 1, 2, 1, 3]
        """
        check_name(name)
        attribute = ItemAttribute.from_values(self.items, values)
        return dataclasses.replace(self, attributes={**self.attributes, name: attribute})

    def with_item_label(self, name: str, values: Mapping[str, str]) -> Interactions:
        """As `with_item_attribute`, for what no model reads: it describes the items to people.

        Args:
            name: Such as ``"color"``; ``"title"`` for titles.
            values: Raw value by raw item id.

        Raises:
            UserError: If no item of the data is in ``values``.

        Example:
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
        >>> log.with_item_label("title", {"tea": "Green tea"}).titles.tolist()
        ['', 'Green tea']
        """
        check_name(name)
        label = ItemAttribute.from_values(self.items, values)
        return dataclasses.replace(self, labels={**self.labels, name: label})

    def with_own_providers(self, vocabulary: Vocabulary, provider_ids: np.ndarray) -> Interactions:
        """The same sequences with a provider for each interaction.

        The most frequent one of an item is the item's; the first in the vocabulary, of those that
        are as frequent.

        Args:
            vocabulary: The providers.
            provider_ids: ``(actions,)`` int32 their internal ids, 1 = not recorded.
        """
        found = [np.zeros((0, 2), dtype=np.int64)]
        for part in blocks(self.num_actions):
            known = provider_ids[part] != UNKNOWN_ID
            pairs = self.item_ids[part][known].astype(np.int64) * vocabulary.size
            pairs += provider_ids[part][known]
            found.append(np.stack(np.unique(pairs, return_counts=True), axis=1))
        pairs, places = np.unique(np.concatenate(found)[:, 0], return_inverse=True)
        counts = np.bincount(places, np.concatenate(found)[:, 1], minlength=len(pairs))
        items, best = most_frequent(*np.divmod(pairs, vocabulary.size), counts)
        of_items = special_ids_and(np.full(self.num_items, UNKNOWN_ID))
        of_items[items] = best
        return dataclasses.replace(
            self, providers=ItemAttribute(vocabulary, of_items), own_provider_ids=provider_ids
        )

    def with_vocabulary(self, items: Vocabulary) -> Interactions:
        """The same sequences under another vocabulary that holds every item of this one.

        Raises:
            UserError: If an item of the data is not in ``items``.

        Example: a log under the vocabulary of another, which has more items.
        >>> log = Interactions.from_sequences({"ann": ["tea"]})
        >>> log.with_vocabulary(Vocabulary(["jam", "tea"])).item_ids.tolist()
        [4]
        """
        new_ids = items.encode(self.items.ids)
        if (new_ids < NUM_SPECIAL_IDS).any():
            stranger = self.items.ids[(new_ids < NUM_SPECIAL_IDS).argmax()]
            raise UserError(f"Item {stranger!r} of the data is not in the vocabulary.")
        remapped = new_ids[self.item_ids - NUM_SPECIAL_IDS]
        providers = self.providers
        if providers is not None:
            providers = providers.with_item_vocabulary(new_ids, len(items))
        attributes, labels = (
            {name: one.with_item_vocabulary(new_ids, len(items)) for name, one in known.items()}
            for known in (self.attributes, self.labels)
        )
        return dataclasses.replace(
            self,
            item_ids=remapped,
            items=items,
            providers=providers,
            attributes=attributes,
            labels=labels,
        )

    def counts(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many of the actions for which ``kept`` ``(actions,)`` is true each user has
        ``(users,)``, and each item by internal id ``(item vocabulary size,)``; int64."""
        of_users = np.zeros(self.num_users, dtype=np.int64)
        of_items = np.zeros(self.items.size, dtype=np.int64)
        for users in self.blocks_of_users():
            part = self.actions_of(users)
            upto = np.concatenate([[0], np.cumsum(kept[part], dtype=np.int64)])
            of_users[users] = np.diff(upto[self.offsets[users.start : users.stop + 1] - part.start])
            of_items += np.bincount(self.item_ids[part][kept[part]], minlength=self.items.size)
        return of_users, of_items

    def blocks_of_users(self) -> Iterator[slice]:
        """Runs of users that have some millions of actions together, or one user with more."""
        return blocks_of_rows(self.offsets)

    def actions_of(self, users: slice) -> slice:
        """Where the actions of a run of users are."""
        return slice(int(self.offsets[users.start]), int(self.offsets[users.stop]))

    def times_fall(self) -> bool:
        """Whether an interaction of a user is before the one that precedes it."""
        if self.times is None:
            return False

        def fall(users: slice) -> bool:
            part = self.actions_of(users)
            times, starts = self.times[part], self.offsets[users] - part.start
            falls = times[1:] < times[:-1]
            # From one user to the next they may; who has nothing starts where another does.
            falls[starts[(starts > 0) & (starts < len(times))] - 1] = False
            return bool(falls.any())

        return any(map(fall, self.blocks_of_users()))

    def select(self, kept: np.ndarray, allocate: Allocate = in_memory) -> Interactions:
        """The actions for which ``kept`` ``(actions,)`` is true; users, items and providers
        that have none left are gone from the result.

        Args:
            kept: ``(actions,)`` bool.
            allocate: Makes the new arrays.

        Example: bob and jam are gone with the last interaction of each.
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam"]})
        >>> log = log.select(np.array([True, False, True, False]))
        >>> log.users.tolist(), log.items.decode(log.item_ids).tolist()
        (['ann'], ['tea', 'oil'])
        """
        of_users, of_items = self.counts(kept)
        users, items = np.flatnonzero(of_users), np.flatnonzero(of_items)
        new_ids = np.zeros(self.items.size, dtype=np.int32)
        new_ids[items] = np.arange(NUM_SPECIAL_IDS, NUM_SPECIAL_IDS + len(items))
        providers, new_providers = self.providers, None
        if providers is not None:
            own = self.own_provider_ids
            used = () if own is None else _used(own, kept, providers.vocabulary.size)
            providers, new_providers = providers.select(items, used)

        def left(name: str, renumbered: np.ndarray | None = None) -> np.ndarray | None:
            values = getattr(self, name)
            if values is None:
                return None
            result, done = allocate(name, values.dtype, int(of_users.sum())), 0
            for part in blocks(self.num_actions):
                some = np.asarray(values[part])[kept[part]]
                result[done : done + len(some)] = some if renumbered is None else renumbered[some]
                done += len(some)
            return result

        return Interactions(
            item_ids=left("item_ids", new_ids),
            offsets=np.concatenate([[0], np.cumsum(of_users[users])]),
            users=self.users[users],
            items=Vocabulary(self.items.ids[items - NUM_SPECIAL_IDS]),
            providers=providers,
            own_provider_ids=left("own_provider_ids", new_providers),
            attributes={name: one.select(items)[0] for name, one in self.attributes.items()},
            labels={name: one.select(items)[0] for name, one in self.labels.items()},
            times=left("times"),
            ratings=left("ratings"),
        )


def _used(values: np.ndarray, kept: np.ndarray, size: int) -> np.ndarray:
    """The values that are kept, ascending."""
    used = np.zeros(size, dtype=bool)
    for part in blocks(len(values)):
        used[np.asarray(values[part])[kept[part]]] = True
    return np.flatnonzero(used)
