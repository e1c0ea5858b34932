"""What tells whether files are still the same."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.data.preparation.source import files_of
from tf_iclrec.data.prepared import is_prepared
from tf_iclrec.data.public.registry import split_name
from tf_iclrec.data.sources import has_no_files, is_named
from tf_iclrec.errors import UserError


def fingerprint(names: Sequence[str]) -> list[dict[str, str | int]]:
    """Name, size and time of change of the files that sources are made of; a data set that is
    known by name has its name alone.

    Args:
        names: Sources, as `tf_iclrec.data.sources.open_source` takes them.

    Raises:
        UserError: If a file is not there.

    Example:
    >>> fingerprint(["tfds:movielens/100k-ratings"])
    [{'name': 'tfds:movielens/100k-ratings'}]
    """
    files: list[Path] = []
    found: list[dict[str, str | int]] = []
    for name in names:
        known, path = split_name(name)
        path = Path(path)
        if known:
            # Who reads it says what is missing.
            files += sorted(filter(Path.is_file, [path, *path.glob("*")]))
        elif is_prepared(path):
            files += sorted(one for one in path.iterdir() if one.is_file())
        elif has_no_files(name):
            found.append({"name": name})
        else:
            files += files_of([name])
    for path in files:
        status = path.stat()
        found.append(
            {
                "name": str(path.resolve()),
                "bytes": status.st_size,
                "changed": status.st_mtime_ns,
            }
        )
    return found


def parts_of(names: Sequence[str]) -> list[str]:
    """Sources as the parts that can be read each for itself: the files of folders and patterns;
    prepared data, and what is known by name, is one part.

    Raises:
        UserError: If a file is not there.

    Example:
    >>> parts_of(["tfds:movielens/100k-ratings"])
    ['tfds:movielens/100k-ratings']
    """
    parts: list[str] = []
    for name in names:
        whole = is_named(name) or is_prepared(name)
        parts += [name] if whole else map(str, files_of([name]))
    return list(dict.fromkeys(parts))


@contextlib.contextmanager
def unchanged(names: Sequence[Any]) -> Iterator[None]:
    """Make sure that files stay the same while they are read.

    Args:
        names: As for `fingerprint`, or tables in memory.

    Raises:
        UserError: If one of them is written to meanwhile.
    """
    names = [str(name) for name in names if isinstance(name, str | Path)]
    before = fingerprint(names)
    yield
    for one in fingerprint(names):
        if one not in before:
            raise UserError(
                f"{one['name']} was changed while it was read: try again when it is complete."
            )
