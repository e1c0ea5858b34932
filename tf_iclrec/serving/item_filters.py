"""Items by what is known of them: only those of a category, none of a provider."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.errors import UserError
from tf_iclrec.serving.graph_inputs import as_bytes, lookup_table, required
from tf_iclrec.serving.retrieval_index import contains
from tf_iclrec.serving.user_table import id_text

# Values by the name of an attribute, or a single one.
ItemValues = Mapping[str, Sequence[str] | str]
_NONE = -1


class ItemFilters(tf.Module):
    """Which items requests allow.

    A request names values as ``name=value``: ``provider=acme``, or ``category=tea`` where the
    attribute ``category`` of the items is known. An unknown value is that of no item.

    Args:
        catalogue: The items, and what is known of them.

    Call arguments:
        only: ``(batch, m)`` strings, ``""`` = padding: of each attribute that a row names, an item
            must have one of the values.
        without: ``(batch, n)`` strings, ``""`` = padding: an item must have none of them.

    Returns:
        ``(batch, items)`` bool.

    Raises:
        tf.errors.InvalidArgumentError: If nothing is known by such a name; the message says what
            is.

    Example:
    >>> from tf_iclrec import Interactions
    >>> log = Interactions.from_sequences({"ann": ["jam", "rye", "tea"]})
    >>> log = log.with_item_attribute("kind", {"tea": "drink", "jam": "food", "rye": "food"})
    >>> filters = ItemFilters(log.catalogue)
    >>> filters(tf.constant([["kind=food"]]), tf.constant([[""]])).numpy().tolist()
    [[True, True, False]]
    """

    def __init__(self, catalogue: Catalogue):
        super().__init__()
        known = catalogue.known_of_items
        self.names = tuple(known)
        # Each value of each attribute has a place of its own; the last one is that of none.
        values = [f"{name}={value}" for name, one in known.items() for value in one.vocabulary.ids]
        self.num_places = len(values) + 1
        sizes = [len(attribute.vocabulary) for attribute in known.values()]
        places = [
            _places(attribute, first, self.num_places - 1)
            for attribute, first in zip(known.values(), np.cumsum([0, *sizes]), strict=False)
        ]
        places = np.reshape(places, (len(known), catalogue.num_items))
        self.places_of_items = tf.constant(places, tf.int32)
        self.places = _numbers(values)
        self.attributes = _numbers(self.names)

    def __call__(self, only: tf.Tensor, without: tf.Tensor) -> tf.Tensor:
        named, _ = self._attributes_of(only), self._attributes_of(without)
        is_named = _which(named, len(self.names))[:, :, tf.newaxis]
        allowed = tf.reduce_all(self._have(only) | ~is_named, axis=1)
        return allowed & ~tf.reduce_any(self._have(without), axis=1)

    def _have(self, cells: tf.Tensor) -> tf.Tensor:
        """Whether each item has, of each attribute, a value of the cells ``(batch, m)``:
        ``(batch, attributes, items)``."""
        is_named = _which(self.places.lookup(cells), self.num_places)
        return tf.gather(is_named, self.places_of_items, axis=1)

    def _attributes_of(self, cells: tf.Tensor) -> tf.Tensor:
        """Numbers of the attributes that cells ``(batch, m)`` name, -1 for padding."""
        names = tf.strings.regex_replace(cells, "(?s)=.*", "", replace_global=False)
        numbers = self.attributes.lookup(names)
        strange = (numbers == _NONE) & (cells != "")
        there_are = ", ".join(self.names) or "(nothing is known of the items)"
        message = [
            f"Filters are written name=value, with a name of: {there_are}. Not so:",
            tf.boolean_mask(cells, strange),
        ]
        return required(numbers, ~tf.reduce_any(strange), message)


def _numbers(texts: Sequence[str]) -> tf.lookup.StaticHashTable:
    """From texts to their numbers. A table needs an entry: padding is one."""
    return lookup_table(as_bytes(["", *texts]), tf.range(_NONE, len(texts)), _NONE)


def _places(attribute: ItemAttribute, first: int, of_none: int) -> np.ndarray:
    """Places of the items' values, ``(items,)``, where those of the attribute begin at one."""
    ids = attribute.of_items[NUM_SPECIAL_IDS:]
    return np.where(ids == UNKNOWN_ID, of_none, ids - NUM_SPECIAL_IDS + first)


def _which(numbers: tf.Tensor, size: int) -> tf.Tensor:
    """Which of the numbers below ``size`` each row of ``(batch, m)`` has, ``(batch, size)``."""
    every = tf.tile(tf.range(size)[tf.newaxis], [tf.shape(numbers)[0], 1])
    return contains(numbers, every)


def as_cells(values: ItemValues | None) -> list[str]:
    """Values as requests name them.

    Example:
    >>> as_cells({"kind": ["tea", "jam"], "provider": "acme"})
    ['kind=tea', 'kind=jam', 'provider=acme']
    """
    return [f"{name}={value}" for name, value in _pairs(values)]


def _pairs(values: ItemValues | None) -> list[tuple[str, str]]:
    return [(name, value) for name, some in _lists(values) for value in some]


def _lists(values: ItemValues | None) -> list[tuple[str, list[str]]]:
    """Names with their values; a name without a value says nothing."""
    if not (values is None or isinstance(values, Mapping)):
        raise UserError(f"Filters are a dict such as {{'category': 'tea'}}, not {values!r}.")
    for name, some in (values or {}).items():
        if some is None:
            raise UserError(f"The filter {name!r} has no value: None. Leave it out, or name one.")
    lists = [
        (name, [v] if isinstance(v, str | bytes) or not isinstance(v, Iterable) else v)
        for name, v in (values or {}).items()
    ]
    return [(name, [id_text(value) for value in some]) for name, some in lists if len(some)]


def parse_values(options: Iterable[str]) -> dict[str, list[str]]:
    r"""Values as a command line names them; a comma within a value has a backslash before it.

    Raises:
        UserError: If an option is not ``name=value,value``.

    Example:
    >>> parse_values(["kind=tea,jam", "provider=acme", "kind=rye"])
    {'kind': ['tea', 'jam', 'rye'], 'provider': ['acme']}
    >>> parse_values([r"kind=tea\, green,jam"])
    {'kind': ['tea, green', 'jam']}
    """
    found: dict[str, list[str]] = {}
    for option in options:
        name, equals, values = option.partition("=")
        if not (name and equals and values):
            raise UserError(f"A filter is written name=value,value, not {option!r}.")
        parts = re.split(r"(?<!\\),", values)
        found.setdefault(name, []).extend(part.replace(r"\,", ",") for part in parts)
    return found


def allowed_items(
    catalogue: Catalogue,
    only: ItemValues | None,
    without: ItemValues | None,
    must_exist: bool = False,
) -> np.ndarray:
    """The items of a catalogue that values allow, ``(items,)`` bool.

    Args:
        catalogue: The items, and what is known of them.
        only: Of each attribute that is named, an item must have one of the values.
        without: An item must have none of these.
        must_exist: Whether a value that no item has is an error.

    Raises:
        UserError: If nothing is known by such a name, or there is no such value and there must be.
    """
    known = catalogue.known_of_items
    for name, value in _pairs(only) + _pairs(without):
        if name not in known:
            raise UserError(
                f"Items can't be told by {name!r}: what is known of them is "
                f"{', '.join(known) or 'nothing'}."
            )
        if must_exist and known[name].vocabulary.encode([value])[0] == UNKNOWN_ID:
            raise UserError(f"No item of the data has the {name} {value!r}.")
    allowed = np.ones(catalogue.num_items, dtype=bool)
    for name, values in _lists(only):
        allowed &= _have(known[name], values)
    for name, values in _lists(without):
        allowed &= ~_have(known[name], values)
    return allowed


def _have(attribute: ItemAttribute, values: Sequence[str]) -> np.ndarray:
    """Which items have one of the values, ``(items,)`` bool."""
    wanted = attribute.vocabulary.encode(values)
    return np.isin(attribute.of_items[NUM_SPECIAL_IDS:], wanted[wanted != UNKNOWN_ID])
