"""Lists of ids in files: users to recommend to, items to leave out."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from tf_iclrec.data.preparation.columns import choose_column, named_or_guessed
from tf_iclrec.data.tables import TABLE_SUFFIXES, column_names, read_chunks
from tf_iclrec.errors import UserError


def read_ids(
    path: str | Path, role: str, column: str = "", may_be_empty: bool = False
) -> Iterator[str]:
    """Raw ids of a file, one at a time, so that the file may be of any size.

    Args:
        path: A text file with one id per line, or a ``.csv``, ``.tsv``, ``.inter``, ``.item``
            or ``.parquet`` table.
        role: Whose ids: ``"user"`` or ``"item"``.
        column: The table's column with the ids; if there is none of that name, the one that looks
            like them.
        may_be_empty: Whether a file without an id is one.

    Raises:
        UserError: If there is no such file or column, no id in it but should be, or it is no UTF-8.

    Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "users.txt"
    >>> _ = path.write_text("ann\\nbob\\n")
    >>> list(read_ids(path, "user"))
    ['ann', 'bob']
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"No such file: {path}.")
    is_table = path.suffix.lower() in TABLE_SUFFIXES
    ids = _of_table(path, role, column) if is_table else _of_text(path)
    first = next(ids, None)
    if first is not None:
        return itertools.chain([first], ids)
    if not may_be_empty:
        raise UserError(f"{path} holds no ids.")
    return ids


def _of_text(path: Path) -> Iterator[str]:
    # Some programs of Windows begin a file with a mark of its encoding.
    with path.open(encoding="utf-8-sig") as lines:
        try:
            for line in lines:
                if line.strip():
                    yield line.strip()
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is no UTF-8: save it in that encoding.") from error


def _of_table(path: Path, role: str, column: str) -> Iterator[str]:
    columns = column_names(path)
    column = named_or_guessed(role, columns, column)
    if not column:
        column = choose_column(role, columns, "", str(path))
    for chunk in read_chunks(path, column):
        yield from chunk
