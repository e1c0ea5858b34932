"""What there is to know of a public log before it is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from tf_iclrec.data.item_table import ItemTable
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.data.preparation.source import Source
from tf_iclrec.errors import UserError


@dataclasses.dataclass(frozen=True)
class PublicLog:
    """A log whose format is known.

    Attributes:
        source: Its rows.
        columns: Names of its columns by role, where they are not to be guessed.
        items: What it tells of its items in another file.
        selection: What is kept of it where nothing is said.
    """

    source: Source
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    items: ItemTable | None = None
    selection: Selection = dataclasses.field(default_factory=Selection)


def file_of(path: Path, names: Sequence[str], published: str) -> Path:
    """The file of a public log: the one that is named, or that of its usual name in a folder.

    Args:
        path: A file, or a folder.
        names: What the file is called by its publishers, the first that is there counts.
        published: Where it is from.

    Raises:
        UserError: If it is not there.
    """
    if path.is_file():
        return path
    there = [path / name for name in names if (path / name).is_file()]
    if not there:
        raise UserError(f"{path} has no file {' or '.join(names)}. It is from {published}.")
    return there[0]
