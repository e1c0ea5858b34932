"""From what people name to a prepared log, in one straight line."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_iclrec.data.arrays import Allocate, in_memory
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation import reasons
from tf_iclrec.data.preparation.columns import GUESS, choose_columns
from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.engine import Engine
from tf_iclrec.data.preparation.fingerprint import unchanged
from tf_iclrec.data.preparation.prepare_log import Preparation, prepare_rows, reduce_log
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.public.public_log import PublicLog
from tf_iclrec.data.sources import open_source
from tf_iclrec.errors import UserError

# Makes an engine that keeps what does not fit into memory in a folder.
MakeEngine = Callable[[Path], Engine]


def prepare(
    names: Sequence[Any],
    columns: Mapping[str, str] | None = None,
    header: Sequence[str] = (),
    selection: Selection | None = None,
    make_engine: MakeEngine = DuckDBEngine,
    allocate: Allocate = in_memory,
    scratch: Path | None = None,
) -> Preparation:
    """Read a log and keep what is wanted of it.

    Args:
        names: What `open_source` takes.
        columns: Names of columns by role: ``user``, ``item``, ``time``, ``rating``, ``provider``;
            what is not there is guessed.
        header: Names of all columns, for text tables without a header line.
        selection: What is wanted. Defaults to everything.
        make_engine: Makes what reads tables.
        allocate: Makes the arrays of the log.
        scratch: Folder for what does not fit into memory. Defaults to the system's.

    Raises:
        UserError: If the source can't be read, or nothing is left.
    """
    selection = selection or Selection()
    selection.check()
    columns = dict(columns or {})
    if selection.min_rating and not columns.get("rating"):
        columns["rating"] = GUESS
    with unchanged(names):
        source = open_source(names, header, columns)
        if isinstance(source, Interactions):
            return _of_log(source, selection, allocate)
        if isinstance(source, PublicLog):
            return _public(source, selection, make_engine, allocate, scratch)
        chosen = choose_columns(source.columns, columns, source.name)
        for name in chosen.read().values():
            if name in source.unlike:
                raise UserError(source.unlike[name])
        with _engine(make_engine, scratch) as engine:
            return prepare_rows(source, chosen, engine, selection, allocate)


def _public(
    public: PublicLog,
    selection: Selection,
    make_engine: MakeEngine,
    allocate: Allocate,
    scratch: Path | None,
) -> Preparation:
    """What is wanted of a log whose columns are known: names that are given are of other tables."""
    columns = choose_columns(public.source.columns, public.columns, public.source.name)
    with _engine(make_engine, scratch) as engine:
        made = prepare_rows(public.source, columns, engine, public.selection, allocate)
    if public.items:
        made = dataclasses.replace(made, log=public.items.describe(made.log))
    if selection == Selection():
        return made
    further = _of_log(made.log, selection, allocate)
    # A reason may be one of both.
    dropped = dict(Counter(made.dropped) + Counter(further.dropped))
    # One core may begin where the other ended.
    rounds = tuple(dict.fromkeys(made.rounds + further.rounds))
    return dataclasses.replace(made, log=further.log, dropped=dropped, rounds=rounds)


def _of_log(log: Interactions, selection: Selection, allocate: Allocate) -> Preparation:
    """What is wanted of a log that is there."""
    first, end = selection.first_time, selection.end_time
    if (first is not None or end is not None) and log.times is None:
        raise UserError("This data has no times: --since and --until need them.")
    if selection.min_rating and log.ratings is None:
        raise UserError("This data has no ratings: --min-rating needs them.")
    kept, dropped = np.ones(log.num_actions, dtype=bool), {}

    def drop(reason: str, which: np.ndarray) -> None:
        if count := int(np.count_nonzero(kept & which)):
            dropped[reason] = count
        kept[which] = False

    if first is not None:
        drop(reasons.TOO_EARLY, log.times < first)
    if end is not None:
        drop(reasons.TOO_LATE, log.times >= end)
    if selection.min_rating:
        drop(reasons.RATED_LOW, ~(log.ratings >= selection.min_rating))
    if not kept.any():
        raise UserError("No interaction is left between --since and --until with such a rating.")
    left = log if kept.all() else log.select(kept, allocate)
    made = reduce_log(left, selection, allocate, dropped)
    return dataclasses.replace(made, rows_read=log.num_actions)


@contextlib.contextmanager
def _engine(make_engine: MakeEngine, scratch: Path | None) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".rows-") as folder:
        engine = make_engine(Path(folder))
        try:
            yield engine
        finally:
            engine.close()
