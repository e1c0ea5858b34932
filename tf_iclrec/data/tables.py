"""Tables of the formats that logs and item attributes come in."""

from __future__ import annotations

import csv
import decimal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_iclrec.data.preparation.source import separator_of
from tf_iclrec.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# RecBole's atomic files are tab-separated, with the type behind each name: `user_id:token`.
_ATOMIC_SUFFIXES = (".inter", ".item")
_CHUNK_SIZE = 100_000
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", *_ATOMIC_SUFFIXES)


def read_columns(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a ``.csv``, ``.tsv``, ``.inter``, ``.item`` or ``.parquet`` table.

    Args:
        path: The file.
        columns: Their names. If one is missing all columns are read, for the caller to say which
            there are.

    Returns:
        A frame in which an empty cell is missing; integers, and the columns of text tables, as they
        are written.

    Raises:
        UserError: If there is no such file, or it is empty or no table.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    path = _table(path)

    def wanted(names: Sequence[str]) -> list[str] | None:
        return [one for one in names if one in columns] if set(columns) <= set(names) else None

    try:
        if path.suffix.lower() == ".parquet":
            file = pq.ParquetFile(path)
            return _frame(file.read(columns=wanted(file.schema_arrow.names)))
        names, style = _text_table(path)
        # All columns: of some alone pandas would not notice a row with a cell too many.
        frame = pd.read_csv(
            path, header=0, names=names, dtype=str, keep_default_na=False, na_values=[""], **style
        )
        if not isinstance(frame.index, pd.RangeIndex):
            raise ValueError(f"its first row has more cells than the {len(names)} of the header")
        return frame[wanted(names) or names]
    except (ValueError, OSError) as error:  # pandas' and pyarrow's errors are ValueErrors
        raise UserError(f"{path} can't be read as a table: {str(error).strip()}") from error


def _table(path: str | Path) -> Path:
    """A path that names a table.

    Raises:
        UserError: If there is no such file, or it is empty or no table.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"No such file: {path}.")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty.")
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise UserError(f"{path} is no table: its name must end in {', '.join(TABLE_SUFFIXES)}.")
    return path


def read_chunks(path: str | Path, column: str) -> Iterator[list[str]]:
    """The ids in one column as they are written, some 100,000 at a time; empty ones are
    left out.

    Args:
        path: A file that `read_columns` reads.
        column: Name of the column.

    Raises:
        UserError: If there is no such column, or the file is no table.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        if path.suffix.lower() == ".parquet":
            file = pq.ParquetFile(path)
            _check_column(path, column, file.schema_arrow.names)
            frames = map(_frame, file.iter_batches(_CHUNK_SIZE, columns=[column]))
        else:
            names, style = _text_table(path)
            _check_column(path, column, names)
            frames = pd.read_csv(
                path,
                header=0,
                names=names,
                usecols=[column],
                dtype=str,
                keep_default_na=False,
                chunksize=_CHUNK_SIZE,
                **style,
            )
        for frame in frames:
            cells = ids_as_text(frame[column])
            yield cells[cells != ""].tolist()
    except UserError:
        raise
    except (ValueError, OSError) as error:
        raise UserError(f"{path} can't be read as a table: {error}") from error


def column_names(path: str | Path) -> list[str]:
    """Names of the columns of a file that `read_columns` reads."""
    import pyarrow.parquet as pq

    path = _table(path)
    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_schema(path).names
        return _text_table(path)[0]
    except (ValueError, OSError) as error:
        raise UserError(f"{path} can't be read as a table: {error}") from error


def _check_column(path: Path, column: str, names: Sequence[str]) -> None:
    if column not in names:
        raise UserError(f"{path} has no column {column!r}, only {', '.join(names)}.")


def _text_table(path: Path) -> tuple[list[str], dict[str, Any]]:
    """The names in the first line of a text table, and how pandas reads it."""
    import pandas as pd

    suffix = path.suffix.lower()
    style = {"sep": separator_of(path)}
    if style["sep"] == "\t":
        # Such files of the field have no quoting: a quote is part of an id.
        style["quoting"] = csv.QUOTE_NONE
    names = list(pd.read_csv(path, nrows=0, **style).columns)
    if suffix in _ATOMIC_SUFFIXES:
        names = [name.split(":")[0] for name in names]
    return names, style


def _frame(rows: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Rows of a Parquet file with integers as text: pandas would make floats of those of a column
    with a hole, which hold 2**53 at most."""
    import pyarrow as pa

    fields = [
        field.with_type(pa.string()) if pa.types.is_integer(field.type) else field
        for field in rows.schema
    ]
    # Without what pandas noted, so that its index is a column like others.
    return rows.cast(pa.schema(fields)).to_pandas(ignore_metadata=True)


def as_text(cells: pd.Series) -> pd.Series:
    """Cells of any type as text, ``""`` where one is missing.

    Whole numbers have no decimal point: a column of integers with a hole is often one of floats.

    Example:
    >>> import pandas as pd
    >>> as_text(pd.Series([7, None, 8])).tolist()
    ['7', '', '8']
    """
    import pandas as pd

    text = cells.astype(object).where(cells.notna(), "").astype(str)
    if pd.api.types.is_float_dtype(cells.dtype):
        numbers = cells.to_numpy(float, na_value=np.nan)
        whole = (np.abs(numbers) < 2**63) & (numbers == np.trunc(numbers))
        text[whole] = numbers[whole].astype(np.int64).astype(str)
    return text


def ids_as_text(cells: pd.Series) -> pd.Series:
    """Cells with ids as text, as logs are read: `as_text`, but for decimals and truth values.

    Example:
    >>> import decimal
    >>> import pandas as pd
    >>> ids_as_text(pd.Series([decimal.Decimal("100.00"), None])).tolist()
    ['100', '']
    >>> ids_as_text(pd.Series([True, False])).tolist()
    ['true', 'false']
    """
    first = next(iter(cells.dropna()), None)
    if isinstance(first, decimal.Decimal) and first.as_tuple().exponent < 0:
        cells = cells.astype(float)
    text = as_text(cells)
    return text.str.lower() if isinstance(first, bool | np.bool_) else text
