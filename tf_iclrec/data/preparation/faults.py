"""Where a text file is broken: a slow reader looks for it when an engine has given up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from tf_iclrec.data.preparation.source import Source
from tf_iclrec.data.preparation.text_lines import LONGEST_LINE, text_lines
from tf_iclrec.errors import UserError


def raise_fault(source: Source) -> None:
    """Look for the first line that is broken in files of text or JSON; nothing happens where this
    reader finds none, which knows less than the engines do.

    Args:
        source: What an engine could not read.

    Raises:
        UserError: Names the line and what is wrong with it.
    """
    for path in source.paths:
        if source.format == "text":
            _check_text(path, source)
        elif source.format == "json":
            _check_json(path)


def _check_text(path: Path, source: Source) -> None:
    lines = _Lines(path)
    limit = csv.field_size_limit(LONGEST_LINE)
    first = 1
    try:
        for row in _rows(lines, source):
            if row and len(row) != len(source.columns):
                cells = f"{len(row)} {'cell' if len(row) == 1 else 'cells'}"
                raise UserError(f"{path}, line {first} has {cells}, not {len(source.columns)}.")
            first = lines.number + 1
    except csv.Error as error:
        at_end = "unexpected end" in str(error)
        reason = "a quote in it does not end" if at_end else str(error)
        raise UserError(f"{path}, line {first} can't be read: {reason}.") from error
    finally:
        csv.field_size_limit(limit)
    if lines.other_end:
        raise UserError(f"{path}, line {lines.other_end} ends in another way than the first line.")


def _rows(lines: Iterator[str], source: Source) -> Iterator[list[str]]:
    """Their cells; none of an empty line."""
    if source.quotes:
        return csv.reader(lines, delimiter=source.separator, strict=True)
    plain = (line.rstrip("\r\n") for line in lines)
    return (line.split(source.separator) if line else [] for line in plain)


class _Lines(Iterator[str]):
    """Lines as a reader of CSV counts them, and the first that ends in another way than line 1."""

    def __init__(self, path: Path):
        self.number = 0
        self.other_end = 0
        self._end = ""
        # An old Mac ends lines with a return alone.
        self._lines = (
            line for _, text in text_lines(path) for line in io.StringIO(text, newline="")
        )

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        end = line[len(line.rstrip("\r\n")) :]
        self._end = self._end or end
        if end not in ("", self._end) and not self.other_end:
            self.other_end = self.number
        return line


def _check_json(path: Path) -> None:
    for number, line in text_lines(path):
        if not line.strip():
            continue
        reason = ""
        try:
            row = json.loads(line, object_pairs_hook=_object)
            if not isinstance(row, dict):
                reason = "one JSON object a line is expected"
            json.dumps(row, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            reason = f"no JSON ({error.msg})"
        except UnicodeEncodeError:
            reason = "half of a character stands alone in it"
        except (ValueError, RecursionError) as error:
            reason = str(error)
        if reason:
            raise UserError(f"{path}, line {number}: {reason}.")


def _object(fields: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(fields)
    if len(found) < len(fields):
        raise ValueError("a field is there twice")
    return found
