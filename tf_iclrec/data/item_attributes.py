"""What is known of the items: who offers them (brand, seller, author, streamer), their category."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tf_iclrec.data.tables import as_text
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError

# How providers are called beside the attributes, which have names of their own.
PROVIDER = "provider"
# A label's name.
TITLE = "title"


@dataclasses.dataclass(frozen=True)
class ItemAttribute:
    """One value for each item, such as its provider.

    Attributes:
        vocabulary: The values.
        of_items: ``(item vocabulary size,)`` int32 internal id of the value by internal item id.
            1 = unknown; the special item ids have the special id of the same number.

    Example:
    >>> brands = ItemAttribute(Vocabulary(["acme"]), np.array([0, 1, 2, 3, 1], dtype=np.int32))
    >>> brands.num_known_items
    1
    """

    vocabulary: Vocabulary
    of_items: np.ndarray

    @classmethod
    def from_values(cls, items: Vocabulary, values: Mapping[str, str]) -> ItemAttribute:
        """From the raw value by raw item id; ``""``, None, NaN and an item that is not there:
        unknown.

        Raises:
            UserError: If none of ``items`` is in ``values``.

        Example:
        >>> items = Vocabulary(["jam", "tea"])
        >>> brands = ItemAttribute.from_values(items, {"tea": "acme", "jam": ""})
        >>> brands.vocabulary.ids.tolist(), brands.of_items.tolist()
        (['acme'], [0, 1, 2, 1, 3])
        """
        if not any(item in values for item in items.ids):
            example = next(iter(values), "nothing")
            raise UserError(
                f"No item of the data is in the table of items: the data has items like "
                f"{items.ids[0]!r}, the table like {example!r}. Is it the table of another data "
                "set?"
            )
        raw = _texts(values.get(item) for item in items.ids)
        vocabulary = Vocabulary(sorted({*raw} - {""}))
        return cls(vocabulary, special_ids_and(vocabulary.encode(raw)))

    @property
    def num_known_items(self) -> int:
        """Number of items whose value is known."""
        return int((self.of_items[NUM_SPECIAL_IDS:] != UNKNOWN_ID).sum())

    def value_of(self, item_id: int) -> str:
        """The raw value of an item, by its internal id; ``""`` if it is unknown.

        Example:
        >>> brands = ItemAttribute(Vocabulary(["acme"]), np.array([0, 1, 2, 3, 1], dtype=np.int32))
        >>> brands.value_of(3), brands.value_of(4)
        ('acme', '')
        """
        number = int(self.of_items[item_id])
        return "" if number == UNKNOWN_ID else str(self.vocabulary.ids[number - NUM_SPECIAL_IDS])

    def or_else(self, other: ItemAttribute) -> tuple[ItemAttribute, np.ndarray]:
        """With the values of ``other``, of the same items, where none is known.

        Returns:
            The attribute, and the new internal ids of the values of ``other`` by their old ones.
        """
        vocabulary = Vocabulary(sorted({*self.vocabulary.ids, *other.vocabulary.ids}))
        own, others = (
            special_ids_and(vocabulary.encode(one.vocabulary.ids)) for one in (self, other)
        )
        first, second = own[self.of_items], others[other.of_items]
        return ItemAttribute(vocabulary, np.where(first == UNKNOWN_ID, second, first)), others

    def select(
        self, item_ids: np.ndarray, further: np.ndarray | Sequence[int] = ()
    ) -> tuple[ItemAttribute, np.ndarray]:
        """Of some items only. Values that neither they nor ``further`` internal ids name are gone.

        Args:
            item_ids: ``(items,)`` internal ids, which are numbered anew in this order.
            further: Internal ids of values to keep.

        Returns:
            The attribute, and the new internal ids of the values by their old ones.
        """
        of_items = self.of_items[item_ids]
        kept = np.union1d(of_items, np.asarray(further, dtype=np.int32))
        kept = kept[kept >= NUM_SPECIAL_IDS]
        renumbered = np.full(self.vocabulary.size, UNKNOWN_ID, dtype=np.int32)
        renumbered[kept] = np.arange(len(kept)) + NUM_SPECIAL_IDS
        vocabulary = Vocabulary(self.vocabulary.decode(kept))
        return ItemAttribute(vocabulary, special_ids_and(renumbered[of_items])), renumbered

    def with_item_vocabulary(self, new_ids: np.ndarray, num_items: int) -> ItemAttribute:
        """For a larger catalogue of ``num_items``, in which the items have the internal ids
        ``new_ids`` ``(items,)``; nothing is known of the others."""
        of_items = special_ids_and(np.full(num_items, UNKNOWN_ID))
        of_items[new_ids] = self.of_items[NUM_SPECIAL_IDS:]
        return dataclasses.replace(self, of_items=of_items)

    def with_further_items(self, raw: Sequence[str]) -> ItemAttribute:
        """For a larger catalogue, whose further items have the raw values ``raw`` ``(items,)``,
        ``""``, None and NaN = unknown. Items and values that are there keep their internal ids.

        Example:
        >>> brands = ItemAttribute(Vocabulary(["best"]), np.array([0, 1, 2, 3], dtype=np.int32))
        >>> brands = brands.with_further_items(["acme", "", "best"])
        >>> brands.vocabulary.ids.tolist(), brands.of_items.tolist()
        (['best', 'acme'], [0, 1, 2, 3, 4, 1, 3])
        """
        raw = _texts(raw)
        further = sorted({*raw} - {"", *self.vocabulary.ids})
        vocabulary = Vocabulary([*self.vocabulary.ids, *further])
        return ItemAttribute(
            vocabulary, np.concatenate([self.of_items, vocabulary.encode(raw)]).astype(np.int32)
        )


def check_name(name: str) -> None:
    """Make sure that filters can say what they are about.

    Raises:
        UserError: If it holds a ``=``.
    """
    if "=" in name:
        raise UserError(
            f"What is known of items can't be called {name!r}: filters are written name=value. "
            "Rename it."
        )


def _texts(values: Iterable[Any]) -> np.ndarray:
    """Values of any type as text, ``""`` where one is missing; as objects, because in an array of
    text each entry takes as much as the longest one."""
    import pandas as pd

    return as_text(pd.Series(list(values))).to_numpy(object)


def special_ids_and(ids: np.ndarray) -> np.ndarray:
    """A table by internal id: the special ids stand for themselves, then come ``ids``.

    Example:
    >>> special_ids_and([7, 7]).tolist()
    [0, 1, 2, 7, 7]
    """
    return np.concatenate([np.arange(NUM_SPECIAL_IDS), ids]).astype(np.int32)
