"""DuckDB inside the process: out of core, on all cores."""

from __future__ import annotations

import contextlib
import glob
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tf_iclrec.data.preparation.engine import Engine
from tf_iclrec.data.preparation.faults import raise_fault
from tf_iclrec.data.preparation.source import Kind, Source
from tf_iclrec.data.preparation.text_lines import LONGEST_LINE, check_whole
from tf_iclrec.errors import UserError, first_line
from tf_iclrec.settings import Setting, checked

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlframe.duckdb import DuckDBDataFrame

_BATCH_SIZE = 1 << 20
_SECONDS_BETWEEN = 0.2
# SQLFrame has one session in a process.
_SESSION = threading.Lock()


class DuckDBEngine(Engine):
    """The engine that is always there.

    Args:
        folder: For what does not fit into memory; it must exist.
        memory_limit: How much DuckDB may use, such as ``"4GB"``. The process as a whole needs more.
    """

    order = ("row",)

    @checked
    def __init__(
        self,
        folder: Path,
        memory_limit: Annotated[
            str, Setting("memory that DuckDB may use; the rest goes through the disk")
        ] = "4GB",
    ):
        import duckdb
        from sqlframe.duckdb import DuckDBSession, Window, functions

        self.functions, self.window = functions, Window
        self._error = duckdb.Error
        self._names: Sequence[str] = ()
        self._connection = duckdb.connect(str(folder / "rows.duckdb"))
        settings = {
            "memory_limit": memory_limit,
            "temp_directory": str(folder / "spilled"),
            "timezone": "UTC",
            # The order of the source counts.
            "preserve_insertion_order": True,
        }
        if sys.stderr.isatty():
            # Counted for `step`, and not printed by DuckDB itself. Nowhere else: in a notebook
            # DuckDB refuses both settings where ipywidgets is not installed.
            settings |= {"enable_progress_bar": True, "enable_progress_bar_print": False}
        try:
            for name, value in settings.items():
                self._connection.execute(f"set {name} = ?", [value])
        except duckdb.Error as error:
            self._connection.close()
            raise UserError(
                f"{memory_limit!r} is no --memory-limit: {first_line(error)}"
            ) from error
        # Nothing may fail from here to the end of `close`.
        _SESSION.acquire()
        self._session = DuckDBSession(conn=self._connection)

    def close(self) -> None:
        self._session.stop()
        self._connection.close()
        _SESSION.release()

    def read(self, source: Source, columns: Mapping[str, str]) -> DuckDBDataFrame:
        if source.table is not None:
            self._connection.register("in_memory", source.table)
        # Of JSON only what is needed, as it is read by names.
        self._names = list(columns.values() if source.format == "json" else source.columns)
        scan = _scan(source, source.paths, self._names) if source.table is None else "in_memory"
        # By their places: DuckDB does not tell item_id from ITEM_ID.
        places = {name: f"column_{place}" for place, name in enumerate(self._names)}
        selected = ", ".join(
            f"{_cast(places[name], source.columns[name])} as {_quoted(role)}"
            for role, name in columns.items()
        )
        rows = (
            f"create table source_rows as select {selected} "
            f"from {scan} as source ({', '.join(places.values())})"
        )
        for path in source.paths:
            check_whole(path)
        with self._naming_errors(source):
            self._connection.execute(rows)
        self._connection.execute(
            "create view numbered_rows as select *, rowid as row from source_rows"
        )
        return self._session.table("numbered_rows")

    def keep(self, rows: DuckDBDataFrame, name: str) -> DuckDBDataFrame:
        self._connection.execute(f"create table {name} as {_sql(rows)}")
        return self._session.table(name)

    def named(self, rows: DuckDBDataFrame, name: str) -> DuckDBDataFrame:
        self._connection.execute(f"create view {name} as {_sql(rows)}")
        return self._session.table(name)

    def place(self, row: Mapping[str, Any], source: Source) -> str:
        number = row["row"]
        for path in source.paths:
            scan = _scan(source, [path], self._names)
            (rows,) = self._connection.execute(f"select count(*) from {scan}").fetchone()
            if number < rows:
                return f"{path}, row {number + 1}"
            number -= rows
        return f"{source.name}, row {number + 1}"

    def table(self, rows: DuckDBDataFrame) -> pa.Table:
        return self._connection.sql(_sql(rows)).to_arrow_table()

    def batches(self, rows: DuckDBDataFrame) -> Iterator[pa.RecordBatch]:
        yield from self._connection.sql(_sql(rows)).to_arrow_reader(_BATCH_SIZE)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        if not sys.stderr.isatty():
            yield
            return
        done = threading.Event()
        watcher = threading.Thread(target=self._show, args=(name, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _show(self, name: str, done: threading.Event) -> None:
        while not done.wait(_SECONDS_BETWEEN):
            share = max(self._connection.query_progress(), 0) / 100
            bar = "█" * round(30 * share)
            print(f"\r{name:24} {bar:30} {share:4.0%}", end="", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def _naming_errors(self, source: Source) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise_fault(source)
            raise UserError(_in_one_line(str(error), source)) from error


def _sql(rows: DuckDBDataFrame) -> str:
    # SQLFrame's own optimiser takes longer than DuckDB's and gains nothing.
    return rows.sql(dialect="duckdb", optimize=False)


def _cast(column: str, kind: Kind) -> str:
    """A column in a type that all engines have."""
    types = {"integer": "bigint", "decimal": "double", "time": "timestamptz"}
    return f"cast({column} as {types.get(kind, 'varchar')})"


def _scan(source: Source, paths: Sequence[Path], names: Sequence[str]) -> str:
    # Names of files are no patterns here, and folders like date=2017-06-01 no columns.
    files = "[" + ", ".join(_text(glob.escape(str(path))) for path in paths) + "]"
    files = f"{files}, hive_partitioning = false"
    if source.format == "parquet":
        return f"read_parquet({files})"
    if source.format == "json":
        fields = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
        return (
            f"read_json({files}, format = 'newline_delimited', columns = {{{fields}}}, "
            f"maximum_object_size = {LONGEST_LINE})"
        )
    fields = ", ".join(f"'column_{place}': 'VARCHAR'" for place in range(len(names)))
    quote = _text('"') if source.quotes else "''"
    return (
        f"read_csv({files}, auto_detect = false, header = {str(source.has_header).lower()}, "
        f"delim = {_text(source.separator)}, quote = {quote}, escape = {quote}, "
        f"columns = {{{fields}}}, nullstr = '', strict_mode = true, "
        f"max_line_size = {LONGEST_LINE})"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _in_one_line(message: str, source: Source) -> str:
    """What DuckDB says of a source, in one line."""
    file = re.search(r"^\s*file = (.+)$", message, re.MULTILINE)
    name = file[1].strip() if file else source.name
    reason = re.sub(r"^[A-Z][\w ]* Error: ", "", message.strip().splitlines()[0])
    return f"{name} can't be read: {reason.strip().rstrip('.')}."
