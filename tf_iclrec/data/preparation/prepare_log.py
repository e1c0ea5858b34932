"""From a source to a log: read, judge, number, order, and leave out what is not wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_iclrec.data.arrays import Allocate, in_memory
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation import definition, reasons
from tf_iclrec.data.preparation.columns import Columns
from tf_iclrec.data.preparation.engine import Engine
from tf_iclrec.data.preparation.reduction import (
    Size,
    kept_in_core,
    kept_of_length_group,
    kept_of_repeats,
)
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.preparation.source import Source
from tf_iclrec.data.times import UNITS
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.errors import UserError


@dataclasses.dataclass(frozen=True)
class Preparation:
    """A log, and what became of the rows that it is made of.

    Attributes:
        log: The log.
        rows_read: Rows of the source.
        dropped: How many of them were dropped, by reason.
        rounds: Size of the log before and after each round of the core.
        columns: Names of the columns that were read, by role.
        notes: What else should be known.
    """

    log: Interactions
    rows_read: int
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    rounds: tuple[Size, ...] = ()
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """All but the log."""
        return {
            "rows_read": self.rows_read,
            "dropped": dict(self.dropped),
            "rounds": [dataclasses.asdict(one) for one in self.rounds],
            "columns": dict(self.columns),
            "notes": list(self.notes),
        }


def prepare_rows(
    source: Source,
    columns: Columns,
    engine: Engine,
    selection: Selection,
    allocate: Allocate = in_memory,
) -> Preparation:
    """The rows of a source that are wanted, as a log.

    Args:
        source: The source.
        columns: Which of its columns are read.
        engine: What runs it.
        selection: Which rows are wanted.
        allocate: Makes the arrays of the log.

    Raises:
        UserError: If the source is damaged, a time or rating can't be read, or nothing is left;
            the message says where.
    """
    F, names = engine.functions, columns.read()
    kinds = {role: source.columns[name] for role, name in names.items()}
    for role, kind in kinds.items():
        if kind == "other" or (role == "rating" and kind == "time"):
            raise UserError(f"Column {names[role]!r} of {source.name} can't be a {role}.")
    with engine.step("Reading"):
        raw = engine.read(source, names)
        rows = engine.keep(definition.typed(raw, F, kinds, engine.order), "typed_rows")
    figures = _only(engine, definition.profile(rows, F))
    if not figures["rows"]:
        raise UserError(f"{source.name} has a header and no rows.")
    _check_readable(rows, figures, engine, source, names)
    unit = _unit(rows, figures, engine, source, names, selection)
    timed = definition.timed(rows, F, unit)
    judged = definition.judged(
        timed, F, selection.first_time, selection.end_time, selection.min_rating or None
    )
    judged = engine.named(judged, "judged_rows")
    counts = {one["reason"]: one["rows"] for one in _all(engine, definition.counted(judged, F))}
    num_kept = counts.pop("", 0)
    if not num_kept:
        why = ", ".join(f"{rows} {reason}" for reason, rows in counts.items())
        raise UserError(f"No row of {source.name} is left: {why}.")
    kept = engine.named(judged.where(F.col("reason") == F.lit("")), "kept_rows")
    with engine.step("Numbering and ordering"):
        log = _ordered(engine, kept, num_kept, columns, allocate)
    notes = [f"times were read as {UNITS[unit]}"] if unit in UNITS and unit != 1e6 else []
    return dataclasses.replace(
        reduce_log(log, selection, allocate, counts),
        rows_read=figures["rows"],
        columns=names,
        notes=tuple(notes),
    )


def reduce_log(
    log: Interactions,
    selection: Selection,
    allocate: Allocate = in_memory,
    dropped: Mapping[str, int] | None = None,
) -> Preparation:
    """A log without the repeats, users and items that are not wanted.

    Args:
        log: The log.
        selection: What is wanted.
        allocate: Makes the new arrays.
        dropped: Rows that were dropped before, by reason.
    """
    dropped = dict(dropped or {})
    kept = kept_of_repeats(log, selection.repeats)
    repeats = log.num_actions - int(np.count_nonzero(kept))
    if repeats:
        dropped[reasons.REPEATED] = repeats
    least = selection.min_user_count, selection.min_item_count
    rounds: list[Size] = []
    if max(least) > 0:
        kept, rounds = kept_in_core(log, kept, *least)
        rare = rounds[0].actions - rounds[-1].actions
        if rare:
            dropped[reasons.RARE] = rare
    if selection.length_group:
        before = int(np.count_nonzero(kept))
        kept = kept_of_length_group(log, kept, *selection.length_group)
        dropped[reasons.OTHER_GROUPS] = before - int(np.count_nonzero(kept))
    reduced = log if kept.all() else log.select(kept, allocate)
    return Preparation(reduced, log.num_actions, dropped, tuple(rounds))


def _ordered(
    engine: Engine, rows, num_rows: int, columns: Columns, allocate: Allocate
) -> Interactions:
    """Kept rows as a log."""
    F = engine.functions
    vocabularies, codes = {}, {}
    for role in definition.ROLES:
        if role not in columns.read():
            continue
        found = engine.keep(definition.ids(rows, F, role), f"{role}_ids")
        whole = _only(engine, found.agg(F.min(F.col("whole").cast("int")).alias("whole")))["whole"]
        numbered = definition.numbered(found, F, engine.window, role, bool(whole))
        codes[role] = engine.keep(numbered, f"{role}_codes")
        vocabularies[role] = _strings(engine, codes[role].orderBy(f"{role}_code").select(role))
    of_user = np.zeros(len(vocabularies["user"]), dtype=np.int64)
    item_ids = allocate("item_ids", np.dtype(np.int32), num_rows)
    times = allocate("times", np.dtype(np.int64), num_rows)
    ratings = allocate("ratings", np.dtype(np.float32), num_rows) if columns.rating else None
    own = allocate("own_provider_ids", np.dtype(np.int32), num_rows) if columns.provider else None
    done = 0
    for batch in engine.batches(definition.ordered(rows, codes, engine.order)):
        part = slice(done, done + batch.num_rows)
        of_user += np.bincount(_numbers(batch, "user_code"), minlength=len(of_user))
        item_ids[part] = _numbers(batch, "item_code") + NUM_SPECIAL_IDS
        times[part] = _numbers(batch, "time")
        if ratings is not None:
            ratings[part] = _numbers(batch, "rating", np.nan)
        if own is not None:
            own[part] = _numbers(batch, "provider_code", UNKNOWN_ID - NUM_SPECIAL_IDS)
            own[part] += NUM_SPECIAL_IDS
        done = part.stop
    log = Interactions(
        item_ids=item_ids,
        offsets=np.concatenate([[0], np.cumsum(of_user)]),
        users=vocabularies["user"],
        items=Vocabulary(vocabularies["item"]),
        times=times,
        ratings=ratings,
    )
    if own is None:
        return log
    return log.with_own_providers(Vocabulary(vocabularies["provider"]), own)


def _check_readable(rows, figures, engine: Engine, source: Source, names) -> None:
    for role, what in (("time", "neither a number nor an ISO 8601 date"), ("rating", "no number")):
        if not figures.get(f"bad_{role}s"):
            continue
        where, row = _first(engine, rows, f"bad_{role} is not null", source)
        raise UserError(f"{where}, column {names[role]!r}: {row[f'bad_{role}']!r} is {what}.")
    if figures["numbers"] and figures["moments"]:
        rare = "number" if figures["numbers"] <= figures["moments"] else "moment"
        where, _ = _first(engine, rows, f"{rare} is not null", source)
        this, others = ("a number", "dates") if rare == "number" else ("a date", "numbers")
        raise UserError(f"{where}, column {names['time']!r}: {this}, where others are {others}.")


def _unit(rows, figures, engine, source, names, selection: Selection) -> float | None:
    """Microseconds in one of the times; None where they are dates."""
    if not figures["numbers"]:
        return None
    if source.time_unit:
        return source.time_unit
    try:
        return selection.unit(figures["smallest"], figures["largest"])
    except ValueError as error:
        smallest = f"abs(number) = {figures['smallest']!r}"
        where, _ = _first(engine, rows, smallest, source)
        raise UserError(
            f"{where}, column {names['time']!r}: {figures['smallest']:.15g} can't count {error} as "
            f"{figures['largest']:.15g} does. Name the unit with --time-unit, if both are right."
        ) from error


def _first(engine: Engine, rows, condition: str, source: Source) -> tuple[str, dict[str, Any]]:
    """Where the first row stands for which a condition holds, and the row."""
    found = definition.first_where(rows, engine.functions, condition, engine.order)
    row = _only(engine, found)
    return engine.place(row, source), row


def _all(engine: Engine, rows) -> list[dict[str, Any]]:
    return engine.table(rows).to_pylist()


def _only(engine: Engine, rows) -> dict[str, Any]:
    (row,) = _all(engine, rows)
    return row


def _strings(engine: Engine, rows) -> np.ndarray:
    return engine.table(rows).column(0).to_numpy()


def _numbers(batch, name: str, missing: float | None = None) -> np.ndarray:
    column = batch.column(batch.schema.get_field_index(name))
    if missing is not None and column.null_count:
        column = column.fill_null(missing)
    return column.to_numpy(zero_copy_only=False)
