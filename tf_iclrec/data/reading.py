"""From what people say of their data to a log, and what was found said to them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from tf_iclrec.data.arrays import Allocate, in_memory
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_table import read_item_table
from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.fingerprint import unchanged
from tf_iclrec.data.preparation.prepare import MakeEngine, prepare
from tf_iclrec.data.preparation.prepare_log import Preparation
from tf_iclrec.data.preparation.reasons import UNASKED
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.prepared import noted
from tf_iclrec.data.public.registry import PUBLIC_LOGS
from tf_iclrec.data.sources import DEFAULT_SOURCE
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.settings import Setting, settings_of


def load_interactions(
    source: Any,
    user_column: str = "",
    item_column: str = "",
    time_column: str = "",
    provider_column: str = "",
    rating_column: str = "",
    header: Sequence[str] = (),
    **selection: Any,
) -> Interactions:
    """Read interactions from any supported source; prints how many rows lack an id or a time, if
    any, which are left out.

    Args:
        source: ``"completejourney"`` (the embedded default); a folder with prepared data; a table
            in a ``.csv``, ``.tsv``, ``.inter`` (RecBole), ``.jsonl`` or ``.parquet`` file, the text
            ones also as ``.gz`` or ``.zst``, several of a kind, a folder of them or a pattern; a
            table of pandas, Polars or Arrow; a sequence file with one ``user item item ...``
            line of positive integers per user; ``"tfds:"`` and the name of a data set of
            TensorFlow Datasets, whose features are the columns; or a name of
            `tf_iclrec.data.public.registry.PUBLIC_LOGS`, as in ``"movielens:FOLDER"``, before the
            folder of a public log as it is published.
        user_column: Column with the user id, for tables. By default the names of columns are
            guessed, where there is one candidate.
        item_column: Column with the item id.
        time_column: Column with the time: numbers, dates or ISO 8601 text. Interactions are
            ordered by it within a user; those of the same time keep their order.
        provider_column: Column with the provider of the interaction; it may be absent. For one
            provider per item see `Interactions.with_item_providers`.
        rating_column: Column with ratings, if they are to be kept.
        header: Names of all columns, for text tables without a header line.
        selection: What is kept; see `Selection`.

    Raises:
        UserError: If the source does not exist or can't be read; the message says where.

    Example:
    >>> import pandas as pd
    >>> rows = {"user": ["ann", "bob", "ann"], "item": ["tea", "tea", "jam"], "time": [3, 1, 2]}
    >>> log = load_interactions(pd.DataFrame(rows))
    >>> log.users.tolist(), log.items.decode(log.item_ids).tolist()
    (['ann', 'bob'], ['jam', 'tea', 'tea'])
    """
    kept = inspect.signature(Selection).parameters
    if unknown := next((name for name in selection if name not in kept), ""):
        known = {*inspect.signature(load_interactions).parameters, *kept} - {"selection"}
        raise UserError(f"load_interactions has no argument {unknown!r}: {nearest(unknown, known)}")
    names = source if isinstance(source, list | tuple) else [source]
    columns = _by_role(user_column, item_column, time_column, rating_column, provider_column)
    made = prepare(names, columns, header, Selection(**selection))
    _say_dropped(made, {why: rows for why, rows in made.dropped.items() if why in UNASKED})
    return made.log


def read_log(
    source: Annotated[
        tuple[str, ...],
        Setting(
            "tables (CSV, TSV, JSON lines, Parquet, RecBole's .inter), a folder or pattern of "
            "them, a sequence file, a prepared folder, tfds:NAME of TensorFlow Datasets, "
            f"{', '.join(f'{name}:FOLDER' for name in PUBLIC_LOGS)} as published, or "
            f"{DEFAULT_SOURCE}",
            option="data",
        ),
    ] = (DEFAULT_SOURCE,),
    user_column: Annotated[str, Setting("column with the user id, if it can't be guessed")] = "",
    item_column: Annotated[str, Setting("column with the item id, if it can't be guessed")] = "",
    time_column: Annotated[str, Setting("column with the time, if it can't be guessed")] = "",
    rating_column: Annotated[str, Setting("column with ratings, to keep them")] = "",
    provider_column: Annotated[
        str,
        Setting("column with the provider, in the data or in the table of --items; or provider"),
    ] = "",
    header: Annotated[
        str,
        Setting("names of all columns, separated by commas, of a table without a header line"),
    ] = "",
    items: Annotated[
        str, Setting("table with a row per item: its provider, title and other columns")
    ] = "",
    title_column: Annotated[
        str, Setting("column of --items with titles for people, if it can't be guessed")
    ] = "",
    item_labels: Annotated[
        str,
        Setting(
            "further columns of --items, separated by commas, that describe items to people and "
            "that no model reads"
        ),
    ] = "",
    item_attributes: Annotated[
        str,
        Setting(
            "further columns of the table of --items, separated by commas, such as category; of a "
            "path like Toys|Games|Chess the last part counts"
        ),
    ] = "",
    further_items: Collection[str] = (),
    make_engine: MakeEngine = DuckDBEngine,
    allocate: Allocate = in_memory,
    scratch: Path | None = None,
    **selection: Any,
) -> Preparation:
    """Read a log and what is known of its items; prints what was found.

    Args:
        source: As for `load_interactions`, and so are the columns.
        user_column: Column with the user id.
        item_column: Column with the item id, also in the table of items.
        time_column: Column with the time.
        rating_column: Column with ratings, if they are to be kept.
        provider_column: Column with the provider, in the data or in the table of items.
        header: Names of all columns, separated by commas.
        items: Table with a row per item.
        title_column: Column with titles, in the table of items.
        item_labels: Columns of that table that describe items to people, separated by commas.
        item_attributes: Further columns of that table, separated by commas.
        further_items: Raw ids of items that the table may be of, beside those of the log.
        make_engine: Makes what reads tables.
        allocate: Makes the arrays of the log.
        scratch: Folder for what does not fit into memory.
        selection: What is kept; see `Selection`.

    Raises:
        UserError: If the data can't be used.
    """
    of_items = {
        "item_attributes": item_attributes,
        "item_labels": item_labels,
        "title_column": title_column,
    }
    for option, value in of_items.items():
        if value and not items:
            raise UserError(f"{option} is of a table of items: name the table with --items.")
    table = None
    if items:
        # Before the log, which may take longer: what is wrong with the table is said at once.
        with unchanged([items]):
            table = read_item_table(
                *(items, item_column, provider_column, title_column),
                *(split_names(item_attributes), split_names(item_labels)),
            )
    columns = _by_role(user_column, item_column, time_column, rating_column, provider_column)
    made = prepare(
        *(source, columns, split_names(header), Selection(**selection)),
        *(make_engine, allocate, scratch),
    )
    log = made.log
    if table:
        log = table.describe(log, further_items)
    elif log.providers is None and provider_column:
        raise UserError(
            f"{source[0]} has no column {provider_column!r} of providers: name another, or a table "
            "of items that has it with --items."
        )
    made = dataclasses.replace(made, log=log)
    _say(made, table.providers if table else None, items)
    return made


_OF_ITEMS = ("item_column", "provider_column", "title_column")
# What makes rows of a table interactions.
_HOW_READ = (
    *("user_column", "item_column", "time_column", "rating_column", "provider_column", "header"),
    *("time_unit", "min_rating", "repeats"),
)


def how_read(data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with which newer tables like those of a log are read. Where the log was prepared
    before, they are those of then, but for what is said anew.

    Args:
        data: The settings of the log, as `read_log` takes them.

    Returns:
        Settings by name; and as ``item_table`` the columns of tables of items, which are those of
        the log where no table was given.
    """
    declared = settings_of(read_log) | settings_of(Selection)
    source = data["source"][0]
    # Prepared data, or those in a run.
    before = noted(source, "options") or noted(source, "how_read") or {}

    def as_before(names: Sequence[str], then: Mapping[str, Any]) -> dict[str, Any]:
        kept = {n: then[n] for n in names if n in then and data[n] == declared[n].default}
        return {name: data[name] for name in names} | kept

    of_items = {} if data["items"] else {**before, **before.get("item_table", {})}
    return as_before(_HOW_READ, before) | {"item_table": as_before(_OF_ITEMS, of_items)}


def _by_role(user: str, item: str, time: str, rating: str, provider: str) -> dict[str, str]:
    return {"user": user, "item": item, "time": time, "rating": rating, "provider": provider}


def split_names(text: str) -> tuple[str, ...]:
    """Names that are separated by commas.

    Example:
    >>> split_names("brand, color"), split_names("")
    (('brand', 'color'), ())
    """
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _say_dropped(made: Preparation, dropped: Mapping[str, int]) -> None:
    if dropped:
        why = ", ".join(f"{rows} {reason}" for reason, rows in dropped.items())
        print(f"Dropped of {made.rows_read} rows: {why}", flush=True)


def _say(made: Preparation, table: Mapping[str, str] | None, items: str) -> None:
    log = made.log
    if set(made.columns.values()) - {"user_id", "item_id", "timestamp", "provider"}:
        print(
            "Columns: " + ", ".join(f"{role} = {name}" for role, name in made.columns.items()),
            flush=True,
        )
    _say_dropped(made, made.dropped)
    notes = "".join(f"; {note}" for note in made.notes)
    size = f"{log.num_users} users, {log.num_items} items, {log.num_actions} interactions"
    print(f"Data: {size}{notes}", flush=True)
    if log.providers is not None:
        known = (log.provider_ids != UNKNOWN_ID).mean()
        missing = sum(item not in table for item in log.items.ids) if table else 0
        note = f"; not in {items}: {missing} items" if missing else ""
        print(
            f"Providers: {len(log.providers.vocabulary)}, known for "
            f"{log.providers.num_known_items} of {log.num_items} items and "
            f"{known:.1%} of interactions{note}",
            flush=True,
        )
    for name, attribute in {**log.attributes, **log.labels}.items():
        print(
            f"Values of {name}: {len(attribute.vocabulary)}, known for "
            f"{attribute.num_known_items} of {log.num_items} items",
            flush=True,
        )
