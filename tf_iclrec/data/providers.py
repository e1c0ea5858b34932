"""Who offers the items: brands, sellers, authors, streamers."""

import dataclasses
from pathlib import Path

import numpy as np

from tf_iclrec.data.tables import as_text, read_columns
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError


@dataclasses.dataclass(frozen=True)
class Providers:
    """The provider of each item.

    Attributes:
        vocabulary: The provider vocabulary.
        of_items: ``(item vocabulary size,)`` int32 internal provider id by internal item id.
            1 = unknown; the special item ids have the special provider id of the same number.

    Example:
    >>> providers = Providers(Vocabulary(["acme"]), np.array([0, 1, 2, 3, 1], dtype=np.int32))
    >>> providers.num_known_items
    1
    """

    vocabulary: Vocabulary
    of_items: np.ndarray

    @property
    def num_known_items(self) -> int:
        """Number of items whose provider is known."""
        return int((self.of_items[NUM_SPECIAL_IDS:] != UNKNOWN_ID).sum())


def read_item_providers(
    path: str | Path, item_column: str = "item_id", provider_column: str = "provider"
) -> dict[str, str]:
    """Read a table with one row per item.

    Args:
        path: A ``.csv``, ``.tsv``, ``.item`` (RecBole) or ``.parquet`` table.
        item_column: Column with the item id.
        provider_column: Column with the provider; an empty cell means unknown.

    Returns:
        Raw provider id by raw item id, both strings; ``""`` = unknown.

    Raises:
        UserError: If the file or a column is missing, or an item has two providers.
    """
    frame = read_columns(path, (item_column, provider_column))
    missing = [name for name in (item_column, provider_column) if name not in frame.columns]
    if missing:
        raise UserError(
            f"{path} has no column {', '.join(map(repr, missing))}. Columns there are: "
            f"{', '.join(map(str, frame.columns))}. Name yours with --item-column and "
            "--provider-column."
        )
    if frame.empty:
        raise UserError(f"{path} has a header and no rows.")
    frame = frame[[item_column, provider_column]].apply(as_text)
    frame.columns = ["item", "provider"]
    known = frame[frame["provider"] != ""].drop_duplicates()
    repeated = known["item"].duplicated()
    if repeated.any():
        item = known.loc[repeated, "item"].iloc[0]
        names = known.loc[known["item"] == item, "provider"].tolist()
        raise UserError(
            f"{path}: item {item!r} has two providers, {names[0]!r} and {names[1]!r}. Keep one."
        )
    unknown = dict.fromkeys(frame["item"], "")
    return unknown | dict(zip(known["item"], known["provider"], strict=True))
