"""From what people say of their data to a log, and what was found said to them."""

from collections.abc import Mapping
from typing import Annotated

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import PROVIDER, read_item_values
from tf_iclrec.data.sources import DEFAULT_SOURCE, load_interactions
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.errors import UserError
from tf_iclrec.settings import Setting

_PROVIDER_COLUMN = "provider"


def read_log(
    source: Annotated[
        str,
        Setting(
            "sequence file, CSV, TSV or Parquet table, prepared folder, tfds:NAME of TensorFlow "
            "Datasets, or completejourney",
            option="data",
        ),
    ] = DEFAULT_SOURCE,
    user_column: Annotated[str, Setting("table column with the user id")] = "user_id",
    item_column: Annotated[str, Setting("table column with the item id")] = "item_id",
    time_column: Annotated[str, Setting("table column with the time")] = "timestamp",
    provider_column: Annotated[
        str, Setting("column with the provider, in the data or in the table of --items")
    ] = _PROVIDER_COLUMN,
    header: Annotated[
        str,
        Setting("names of all columns, separated by commas, of a table without a header line"),
    ] = "",
    items: Annotated[str, Setting("table with a row per item and the item's provider")] = "",
    item_attributes: Annotated[
        str,
        Setting(
            "further columns of the table of --items, separated by commas, such as category; of a "
            "path like Toys|Games|Chess the last part counts"
        ),
    ] = "",
    core: Annotated[
        int,
        Setting("keep only users and items with this many interactions (k-core)", at_least=0),
    ] = 0,
) -> Interactions:
    """Read a log and what is known of its items; prints what was found.

    Raises:
        UserError: If the data can't be used.
    """
    if item_attributes and not items:
        raise UserError("item_attributes are columns of a table of items: name it with --items.")
    interactions = load_interactions(
        source, user_column, item_column, time_column, provider_column, core, names(header)
    )
    table = None
    if items:
        attributes = names(item_attributes)
        values = read_item_values(items, (PROVIDER, *attributes), item_column, provider_column)
        table = values[PROVIDER]
        interactions = interactions.with_item_providers(table)
        for name in attributes:
            interactions = interactions.with_item_attribute(name, values[name])
    elif interactions.providers is None and provider_column != _PROVIDER_COLUMN:
        raise UserError(f"{source} has no column {provider_column!r} of providers.")
    _say(interactions, table, items)
    return interactions


def names(text: str) -> tuple[str, ...]:
    """Names that are separated by commas.

    Example:
    >>> names("brand, color"), names("")
    (('brand', 'color'), ())
    """
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _say(interactions: Interactions, table: Mapping[str, str] | None, items: str) -> None:
    print(
        f"Data: {interactions.num_users} users, {interactions.num_items} items, "
        f"{interactions.num_actions} interactions",
        flush=True,
    )
    if interactions.providers is not None:
        known = (interactions.provider_ids != UNKNOWN_ID).mean()
        missing = sum(item not in table for item in interactions.items.ids) if table else 0
        note = f"; {missing} items are not in {items}" if missing else ""
        print(
            f"Providers: {len(interactions.providers.vocabulary)}, known for "
            f"{interactions.providers.num_known_items} of {interactions.num_items} items and "
            f"{known:.1%} of interactions{note}",
            flush=True,
        )
    for name, attribute in interactions.attributes.items():
        print(
            f"Values of {name}: {len(attribute.vocabulary)}, known for "
            f"{attribute.num_known_items} of {interactions.num_items} items",
            flush=True,
        )
