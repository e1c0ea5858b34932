"""What tells whether files are still the same."""

from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.data.preparation.source import files_of
from tf_iclrec.data.sources import DEFAULT_SOURCE, TFDS


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
        path = Path(name)
        if path.is_dir():
            files += sorted(one for one in path.rglob("*") if one.is_file())
        elif name.startswith(TFDS) or name == DEFAULT_SOURCE:
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
