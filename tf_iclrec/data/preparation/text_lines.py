"""Files of text, line by line, compressed or not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tf_iclrec.errors import UserError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
# In bytes; what is longer has no line ends.
LONGEST_LINE = 1 << 24
_BLOCK = 1 << 20
# How UTF-16 begins.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers, from 1, and as they end; a mark at the beginning
    that it is UTF-8 is taken off.

    Raises:
        UserError: If the file is damaged or holds something else than lines of UTF-8; the message
            says where.

    Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = path.write_text("user,item\\nann,tea")
    >>> list(text_lines(path))
    [(1, 'user,item\\n'), (2, 'ann,tea')]
    """
    number = 0
    try:
        with _open(path) as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise UserError(f"{path}, line {number} is longer than {LONGEST_LINE} bytes.")
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        kind = "UTF-16, not UTF-8" if number == 1 and line.startswith(_UTF_16) else "not UTF-8"
        raise UserError(
            f"{path}, line {number} can't be read: it is {kind} (byte 0x{line[error.start]:02x}). "
            "Convert the file."
        ) from error
    except OSError as error:
        raise UserError(f"{path} can't be read: {error}".rstrip(".") + ".") from error


def check_whole(path: Path) -> None:
    """Make sure that a compressed file holds what was once written: not every engine looks at
    checksums.

    Raises:
        UserError: If it does not.
    """
    if path.suffix.lower() not in COMPRESSIONS:
        return
    try:
        with _open(path) as file:
            while file.read(_BLOCK):
                pass
    except OSError as error:
        raise UserError(f"{path} can't be read: {error}".rstrip(".") + ".") from error


def _open(path: Path) -> BinaryIO:
    import pyarrow as pa

    compression = COMPRESSIONS.get(path.suffix.lower())
    return io.BufferedReader(pa.input_stream(str(path), compression=compression), _BLOCK)
