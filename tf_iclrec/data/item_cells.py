"""The cells of a table with a row per item, which is read once, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tf_iclrec.data.item_attributes import PROVIDER
from tf_iclrec.data.preparation.columns import choose_column
from tf_iclrec.data.tables import as_text, column_names, ids_as_text, read_columns
from tf_iclrec.errors import UserError


class ItemCells:
    """Some columns of a table with a row per item.

    Args:
        path: A ``.csv``, ``.tsv``, ``.item`` (RecBole) or ``.parquet`` table.
        names: Of the columns. `PROVIDER` stands for that of the provider.
        item_column: Column with the item id; ``""``: the one that looks like it.
        provider_column: Column with the provider; ``""``: ``provider``.

    Raises:
        UserError: If the file or a column is missing, or there are no rows.
    """

    def __init__(
        self,
        path: str | Path,
        names: Iterable[str],
        item_column: str = "",
        provider_column: str = "",
    ):
        item_column = item_column or choose_column("item", column_names(path), "", str(path))
        self._path = path
        self._columns = {name: name for name in names}
        if PROVIDER in self._columns and provider_column:
            self._columns[PROVIDER] = provider_column
        wanted = dict.fromkeys([item_column, *self._columns.values()])
        self._frame = read_columns(path, list(wanted))
        missing = [name for name in wanted if name not in self._frame.columns]
        if missing:
            raise UserError(
                f"{path} has no column {', '.join(map(repr, missing))}. Columns there are: "
                f"{', '.join(map(str, self._frame.columns))}. Rename yours, or name them with "
                "--item-column, --provider-column, --title-column, --item-attributes and "
                "--item-labels, where the command has that."
            )
        if self._frame.empty:
            raise UserError(f"{path} has a header and no rows.")
        self._items = ids_as_text(self._frame[item_column])

    def values(self, name: str, keep_first: bool = False) -> dict[str, str]:
        """The raw value by raw item id; ``""`` = unknown.

        Args:
            name: One of ``names``.
            keep_first: Whether the first of an item's values counts, where there are several.

        Raises:
            UserError: If an item has two values that are not to be chosen from.
        """
        import pandas as pd

        column = self._columns[name]
        frame = pd.DataFrame({"item": self._items, "value": as_text(self._frame[column])})
        known = frame[frame["value"] != ""].drop_duplicates()
        repeated = known["item"].duplicated()
        if keep_first:
            known = known[~repeated]
        elif repeated.any():
            item = known.loc[repeated, "item"].iloc[0]
            values = known.loc[known["item"] == item, "value"].tolist()
            raise UserError(
                f"{self._path}: item {item!r} has two values in column {column!r}, "
                f"{values[0]!r} and {values[1]!r}. Keep one."
            )
        # As objects all at once: what pandas reads as text it would give one by one, slowly.
        items, *pairs = (
            one.to_numpy(object) for one in (self._items, known["item"], known["value"])
        )
        return dict.fromkeys(items, "") | dict(zip(*pairs, strict=True))

    def by_name(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """By name the raw value by raw item id, as `values` gives it.

        Args:
            names: Some of ``names``. Of the cells of all but `PROVIDER`, which may be paths like
                ``Toys|Games|Chess``, the last part is the value.
        """

        def last_parts(name: str) -> dict[str, str]:
            return {item: path.rpartition("|")[2] for item, path in self.values(name).items()}

        return {name: self.values(name) if name == PROVIDER else last_parts(name) for name in names}


def read_item_attribute(
    path: str | Path, item_column: str = "", column: str = PROVIDER
) -> dict[str, str]:
    """Read one column of a table with one row per item.

    Args:
        path: A ``.csv``, ``.tsv``, ``.item`` (RecBole) or ``.parquet`` table.
        item_column: Column with the item id; ``""``: the one that looks like it.
        column: Column with the value; an empty cell means unknown.

    Returns:
        Raw value by raw item id, both strings; ``""`` = unknown.

    Raises:
        UserError: If the file or a column is missing, or an item has two values.

    Example: what `Interactions.with_item_providers` takes.
    >>> import tempfile
    >>> items = Path(tempfile.mkdtemp()) / "items.csv"
    >>> _ = items.write_text("item_id,provider\\ntea,acme\\njam,\\n")
    >>> read_item_attribute(items)
    {'tea': 'acme', 'jam': ''}
    """
    return ItemCells(path, [column], item_column).values(column)
