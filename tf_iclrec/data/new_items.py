"""Items that came after the training, by what is known of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import PROVIDER, TITLE, ItemAttribute
from tf_iclrec.data.item_cells import ItemCells
from tf_iclrec.data.preparation.columns import candidates
from tf_iclrec.data.tables import column_names
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError

if TYPE_CHECKING:
    from scipy import sparse

# By raw item id the raw values, such as {"provider": "acme", "category": "tea"}.
NewItems = Mapping[str, Mapping[str, str]]


def read_new_items(
    table: str | Path | NewItems,
    catalogue: Catalogue,
    item_column: str = "",
    provider_column: str = "",
    title_column: str = "",
) -> NewItems:
    """New items of a table with a row per item, or of a mapping.

    Args:
        table: A ``.csv``, ``.tsv``, ``.item`` (RecBole) or ``.parquet`` table with the items'
            providers and attributes as far as the catalogue has them, each in the column of its
            name, and those of the labels that it has; or raw values by name, by raw item id.
            ``""``, None, NaN and what is not there: unknown.
        catalogue: What is known of the items so far.
        item_column: The table's column with the item id.
        provider_column: The table's column with the provider.
        title_column: The table's column with titles; ``""``: the one that looks like it.

    Raises:
        UserError: If the table can't be read or lacks a column, if the mapping names what is not
            known of other items, or if nothing is known of those.
    """
    known = catalogue.known
    if not known:
        raise UserError(
            "New items are placed by their providers and attributes, and none are known of the "
            "items of this data: train with --items."
        )
    if isinstance(table, str | Path):
        columns = column_names(table)
        labels = [name for name in catalogue.labels if name != TITLE and name in columns]
        titles = [title_column] if title_column in columns else candidates(TITLE, columns)[:1]
        titles = titles if TITLE in catalogue.labels else []
        names = [*known, *labels]
        cells = ItemCells(table, [*names, *titles], item_column, provider_column)
        values = cells.by_name(names)
        if titles:
            values[TITLE] = cells.values(titles[0], keep_first=True)
        items = next(iter(values.values()))
        return {item: {name: of_name[item] for name, of_name in values.items()} for item in items}
    names = {**known, **catalogue.labels}
    for item, values in table.items():
        if not isinstance(values, Mapping) or not names.keys() >= values.keys():
            raise UserError(
                f"Of the new item {item!r}, {values!r} is given; values are given by name, of: "
                f"{', '.join(names)}."
            )
    return {str(item): values for item, values in table.items()}


def larger_log(log: Interactions, new_items: NewItems) -> Interactions:
    """The same sequences in a larger catalogue.

    Items and values that are there keep their internal ids, those that are new follow them. Items
    that are there already are left as they are.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"]})
    >>> log = log.with_item_providers({"tea": "acme", "jam": "best"})
    >>> log = larger_log(log, {"rye": {"provider": "best"}, "tea": {"provider": "best"}})
    >>> log.items.ids.tolist(), log.providers.of_items.tolist()
    (['jam', 'tea', 'rye'], [0, 1, 2, 4, 3, 4])
    """
    ids = np.array(list(new_items), dtype=object)
    if (ids == "").any():
        raise UserError("A new item has an empty id.")
    is_new = log.items.encode(ids) == UNKNOWN_ID
    values = [row for row, new in zip(new_items.values(), is_new, strict=True) if new]

    def longer(name: str, attribute: ItemAttribute) -> ItemAttribute:
        return attribute.with_further_items([row.get(name, "") for row in values])

    known = {name: longer(name, one) for name, one in log.catalogue.known.items()}
    items = Vocabulary(np.concatenate([log.items.ids, ids[is_new]]))
    providers = known.pop(PROVIDER, None)
    labels = {name: longer(name, one) for name, one in log.labels.items()}
    return dataclasses.replace(
        log, items=items, providers=providers, attributes=known, labels=labels
    )


class MeansOfKindred:
    """For new items the mean over the known items of the same kind.

    Of each attribute of which a new item has a value that known items have, those items have a
    mean; the means of all such attributes are averaged.

    Args:
        catalogue: The larger catalogue, whose last items are the new ones.
        num_known: Number of the items before them.

    Call arguments:
        rows: ``(num_known, ...)`` numbers of the known items.

    Returns:
        ``(new items, ...)``: zero for an item of which nothing is known.

    Attributes:
        found: ``(new items,)`` bool, whether anything is.

    Example:
    >>> kind = ItemAttribute(Vocabulary(["tea", "jam"]), np.array([0, 1, 2, 3, 3, 4, 3, 1]))
    >>> means = MeansOfKindred(Catalogue(5, attributes={"kind": kind}), num_known=3)
    >>> means(np.array([[1.0], [2.0], [9.0]])).tolist(), means.found.tolist()
    ([[1.5], [0.0]], [True, False])
    """

    def __init__(self, catalogue: Catalogue, num_known: int):
        from scipy import sparse

        tables = [_items_by_value(one) for one in catalogue.known.values()]
        # A row per value of any attribute: the items that have it.
        table = sparse.vstack(tables, format="csr")
        self._values = _rows_sum_to_one(table[:, :num_known])
        has_items = (np.diff(self._values.indptr) > 0).astype(np.float32)
        of_new = table[:, num_known:].T @ sparse.diags_array(has_items)
        self._new = _rows_sum_to_one(of_new.tocsr())
        self.found = np.diff(self._new.indptr) > 0

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        flat = rows.reshape(len(rows), -1)
        means = self._new @ (self._values @ flat)
        return means.reshape(-1, *rows.shape[1:])


def _items_by_value(attribute: ItemAttribute) -> sparse.csr_array:
    """``(values, items)``: 1 where an item has a value."""
    from scipy import sparse

    values = attribute.of_items[NUM_SPECIAL_IDS:] - NUM_SPECIAL_IDS
    items = np.flatnonzero(values >= 0)
    shape = (len(attribute.vocabulary), len(values))
    ones = np.ones(len(items), dtype=np.float32)
    return sparse.coo_array((ones, (values[items], items)), shape).tocsr()


def _rows_sum_to_one(table: sparse.csr_array) -> sparse.csr_array:
    table.eliminate_zeros()
    lengths = np.diff(table.indptr)
    table.data /= np.repeat(lengths, lengths)
    return table
