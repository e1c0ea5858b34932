"""A table with a row per item: who offers it, what models may know of it, what people read."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import PROVIDER, TITLE
from tf_iclrec.data.item_cells import ItemCells
from tf_iclrec.data.preparation.columns import candidates
from tf_iclrec.data.tables import column_names


@dataclasses.dataclass(frozen=True)
class ItemTable:
    """What a table says of items, each a raw value by raw item id.

    Attributes:
        providers: Who offers them; None if the table doesn't say.
        attributes: What models may know of them, by name.
        labels: What describes them to people, by name.
    """

    providers: Mapping[str, str] | None
    attributes: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, Mapping[str, str]]

    def describe(self, log: Interactions, further_items: Collection[str] = ()) -> Interactions:
        """The same sequences with all that the table says.

        Args:
            log: The sequences.
            further_items: Raw ids of items that the table may be of, too: where it knows some of
                them and none of the log's, nothing is known of those.

        Raises:
            UserError: If no item of the data is in the table.
        """
        if self._knows(further_items) and not self._knows(log.items.ids):
            return log
        if self.providers is not None:
            log = log.with_item_providers(self.providers)
        for name, values in self.attributes.items():
            log = log.with_item_attribute(name, values)
        return self.label(log)

    def _knows(self, items: Collection[str]) -> bool:
        """Whether it has one of them; each of its columns has all of its items."""
        columns = [self.providers, *self.attributes.values(), *self.labels.values()]
        there = next(filter(None, columns), {})
        return any(item in there for item in items)

    def label(self, log: Interactions) -> Interactions:
        """The same sequences with what describes the items to people alone."""
        for name, values in self.labels.items():
            log = log.with_item_label(name, values)
        return log


def read_item_table(
    path: str | Path,
    item_column: str = "",
    provider_column: str = "",
    title_column: str = "",
    attributes: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> ItemTable:
    """Read a table with a row per item.

    Args:
        path: A ``.csv``, ``.tsv``, ``.item`` (RecBole) or ``.parquet`` table.
        item_column: Column with the item id; ``""``: the one that looks like it.
        provider_column: Column with the provider; ``""``: ``provider``, which may then be missing
            in a table that says something else.
        title_column: Column with titles; ``""``: the one that looks like it, if there is one.
        attributes: Columns for models. Of a path like ``Toys|Games|Chess`` the last part counts.
        labels: Columns for people, likewise.

    Raises:
        UserError: If the file or a column is missing, an item has two values, or the table says
            nothing of the items.
    """
    columns = column_names(path)
    titles = [title_column] if title_column else candidates(TITLE, columns)[:1]
    wanted = [*attributes]
    if provider_column or PROVIDER in columns or not (attributes or labels or titles):
        wanted.insert(0, PROVIDER)
    cells = ItemCells(path, [*labels, *titles, *wanted], item_column, provider_column)
    of_labels = cells.by_name(labels)
    if titles:
        of_labels[TITLE] = cells.values(titles[0], keep_first=True)
    values = cells.by_name(wanted)
    return ItemTable(values.pop(PROVIDER, None), values, of_labels)
