"""What can be a log, and what its columns are called; nothing but headers is read here."""

from __future__ import annotations

import csv
import dataclasses
import glob
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tf_iclrec.data.preparation.text_lines import COMPRESSIONS, text_lines
from tf_iclrec.errors import UserError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

# In place of a source, of a log that was given in Python.
GIVEN = "(given in Python)"
# What a column holds.
Kind = Literal["text", "integer", "decimal", "time", "other"]
Format = Literal["text", "json", "parquet", "table"]
# RecBole's atomic files are tab-separated too.
TEXT = (".csv", ".tsv", ".inter")
_JSON = (".json", ".jsonl", ".ndjson")
SUFFIXES = (*TEXT, *_JSON, ".parquet")
# Lines of a JSON file that are read for the names of its fields.
_JSON_LINES = 1000


@dataclasses.dataclass(frozen=True)
class Source:
    """A log with one row per interaction, in one file or several of a kind, or in memory.

    Attributes:
        name: How messages call it.
        format: How it is read.
        columns: What each column holds, by name, in the order of the file.
        paths: Its files, in order.
        separator: Of text tables; of several characters where nothing is quoted.
        has_header: Whether the first line of each text table has the names.
        table: What is in memory.
        time_unit: Microseconds that numbers in its time column count, where its format says so.
        unlike: What to say of columns of which not all files have the same type, by name.
    """

    name: str
    format: Format
    columns: Mapping[str, Kind]
    paths: tuple[Path, ...] = ()
    separator: str = ""
    has_header: bool = True
    table: pa.Table | None = None
    time_unit: float | None = None
    unlike: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def quotes(self) -> bool:
        """Whether quotes hold cells together: in CSV alone."""
        return self.separator in (",", ";")


def files_of(names: Sequence[str | Path]) -> list[Path]:
    """The files that paths, folders and patterns name, each once, in order; what begins with a
    dot or an underscore in a folder is left out.

    Raises:
        UserError: If something is not there, or a folder holds no table.
    """
    found: list[Path] = []
    for name in map(str, names):
        if name == GIVEN:
            raise UserError(
                "The log of this run was given in Python and is in no file: name the newer data "
                "with --data."
            )
        if not name.strip():
            raise UserError("The name of a file or folder is empty.")
        path = Path(name)
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if _is_table_in(one, path))
            if not inside:
                raise UserError(
                    f"{name} holds no prepared data and no table ({', '.join(SUFFIXES)}). Give a "
                    "sequence file, a table, or a folder written by this program."
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            matches = sorted(map(Path, glob.glob(name, recursive=True)))
            if not matches:
                raise UserError(
                    f"No such file or folder: {name}. Give a path or a pattern; the embedded "
                    "log is called completejourney."
                )
            found += [path for path in matches if path.is_file()]
    for path in found:
        if path.stat().st_size == 0:
            raise UserError(f"{path} is empty.")
    return list(dict.fromkeys(found))


def _is_table_in(path: Path, folder: Path) -> bool:
    hidden = any(part[0] in "._" for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and is_table(path)


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its name."""
    return suffix_of(path) in SUFFIXES


def suffix_of(path: Path) -> str:
    """The suffix that says the format, without that of a compression.

    Example:
    >>> suffix_of(Path("log.CSV.gz")), suffix_of(Path("log.txt"))
    ('.csv', '.txt')
    """
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix in COMPRESSIONS else name.suffix


def source_of_files(paths: Sequence[Path], header: Sequence[str] = ()) -> Source:
    """Tables of one kind as a source.

    Args:
        paths: The files.
        header: Names of all columns, for text tables without a header line.

    Raises:
        UserError: If a file is no table, or they are of several kinds, or differ in their columns.
    """
    suffixes = {suffix_of(path) for path in paths}
    suffix = suffix_of(paths[0])
    if suffix not in SUFFIXES or len(suffixes) > 1:
        strange = next(
            path for path in paths if suffix_of(path) not in SUFFIXES or path != paths[0]
        )
        kinds = f"tables end in {', '.join(SUFFIXES)}, also with {' or '.join(COMPRESSIONS)}"
        if suffix_of(strange) not in SUFFIXES:
            raise UserError(f"{strange} can't be read beside other files: {kinds}.")
        raise UserError(
            f"{paths[0]} and {strange} are of different kinds: give one kind at a time."
        )
    name = str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    if header and suffix not in TEXT:
        raise UserError(f"--header is for text tables; {paths[0]} has names of its own.")
    separator = separator_of(paths[0]) if suffix in TEXT else ""
    every = [_columns(path, suffix, separator, header) for path in paths]
    if suffix in _JSON:
        # Not every line has every field.
        columns = {name: kind for one in every for name, kind in one.items()}
        return Source(name, "json", columns, tuple(paths))
    for path, columns in zip(paths, every, strict=True):
        if list(columns) != list(every[0]):
            raise UserError(
                f"{path} has the columns {', '.join(columns)}, and {paths[0]} "
                f"{', '.join(every[0])}: files that are read together must be alike."
            )
    if suffix == ".parquet":
        return Source(name, "parquet", every[0], tuple(paths), unlike=_unlike(paths))
    return Source(name, "text", every[0], tuple(paths), separator, has_header=not header)


def _unlike(paths: Sequence[Path]) -> dict[str, str]:
    """Columns of which Parquet files have different types, and what to say of each: what reads them
    together would make those of the first file of all."""
    import pyarrow.parquet as pq

    first: dict[str, tuple[str, Path]] = {}
    found = {}
    for path in paths:
        for field in pq.read_schema(path):
            own = _family(field.type)
            if own == "null" and field.name in first:  # Nothing is in it.
                continue
            known, where = first.setdefault(field.name, (own, path))
            if own != known and field.name not in found:
                found[field.name] = (
                    f"Column {field.name!r} is {known} in {where} and {own} in {path}: write them "
                    "alike, or prepare one kind and --append the other."
                )
    return found


def _family(type_: pa.DataType) -> str:
    """Of the types that can be read as one."""
    import pyarrow.types as types

    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_integer(type_) and not types.is_uint64(type_):
        return "integer"
    if types.is_floating(type_):
        return "decimal"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    if types.is_timestamp(type_):
        return "time with a zone" if type_.tz else "time"
    return str(type_)


def source_of_table(table: Any, name: str = "the table") -> Source:
    """A pandas, Polars or Arrow table as a source."""
    table = as_arrow(table)
    columns = {field.name: _kind(field.type) for field in table.schema}
    _check_once(table.schema.names, name)
    return Source(name, "table", columns, table=table)


def as_arrow(table: Any) -> pa.Table:
    """A table of pandas, Polars, Arrow or whatever else gives Arrow's stream, as Arrow's.

    Raises:
        UserError: If it is none, or a column has things of several types.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(table, pd.DataFrame):
            _check_once(list(table.columns), "The table")
            return pa.Table.from_pandas(table, preserve_index=False)
        if isinstance(table, pa.Table):
            return table
        if hasattr(table, "__arrow_c_stream__"):
            return pa.table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(
            f"The table can't be read: {first_line(error)}. A column of one type is expected: of "
            "mixed ids, make text with astype(str)."
        ) from error
    raise UserError(
        f"A {type(table).__name__} is no table: give a path, or a table of pandas, Polars or Arrow."
    )


def separator_of(path: Path) -> str:
    """What separates the cells of a text table: in CSV a semicolon where its first line has no
    comma, as spreadsheets write it where the comma is in numbers.

    Raises:
        UserError: If the file can't be read.
    """
    if suffix_of(path) != ".csv":
        return "\t"
    line = _first_line(path)
    return ";" if ";" in line and "," not in line else ","


def _columns(path: Path, suffix: str, separator: str, header: Sequence[str]) -> dict[str, Kind]:
    """Names and kinds of a file's columns."""
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            schema = pq.read_schema(path)
        except (ValueError, OSError) as error:  # pyarrow's errors are ValueErrors
            raise UserError(f"{path} can't be read as a table: {first_line(error)}") from error
        _check_once(schema.names, str(path))
        return {field.name: _kind(field.type) for field in schema}
    if suffix in _JSON:
        return _json_fields(path)
    cells = _first_row(path, separator)
    if suffix == ".inter":
        cells = [name.split(":")[0] for name in cells]
    names = list(header) or [name or f"column {place}" for place, name in enumerate(cells, 1)]
    if len(names) != len(cells):
        raise UserError(f"{path} has {len(cells)} columns, not the {len(names)} that are named.")
    _check_once(names, str(path))
    return dict.fromkeys(names, "text")


def _check_once(names: Sequence[str], source: str) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UserError(f"{source} has two columns {repeated!r}. Rename one.")


def _first_row(path: Path, separator: str) -> list[str]:
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    line = _first_line(path)
    if not line.strip():
        raise UserError(f"{path} can't be read as a table: its first line is empty.")
    try:
        return next(csv.reader([line], delimiter=separator, quoting=quoting, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}, line 1 can't be read: {error}.") from error


def _first_line(path: Path) -> str:
    _, line = next(text_lines(path), (1, ""))
    # A file of an old Mac has one line.
    return line.rstrip("\r\n").split("\r")[0]


def _json_fields(path: Path) -> dict[str, Kind]:
    """The fields of a JSON file's first lines: one object a line."""
    fields: dict[str, Kind] = {}
    for number, line in itertools.islice(text_lines(path), _JSON_LINES):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            # A broken line further on is for the engine to tell, with all others.
            if number > 1:
                break
            raise UserError(
                f"{path}, line {number}: no JSON ({first_line(error)}). One object a line is "
                "expected."
            ) from error
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number}: one JSON object a line is expected.")
        fields |= dict.fromkeys(row, "text")
    if not fields:
        raise UserError(f"{path} has no fields.")
    return fields


def _kind(type_: pa.DataType) -> Kind:
    import pyarrow.types as types

    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_integer(type_):
        # Those without a sign may need a bit more than others.
        return "text" if types.is_uint64(type_) else "integer"
    if types.is_decimal(type_) and type_.scale == 0:
        # Ids of databases, of more digits than other numbers hold.
        return "text"
    if types.is_floating(type_) or types.is_decimal(type_):
        return "decimal"
    if types.is_timestamp(type_) or types.is_date(type_):
        return "time"
    if types.is_nested(type_) or types.is_time(type_) or types.is_binary(type_):
        return "other"
    return "text"
