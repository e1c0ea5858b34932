"""JSON files that know whether they, and the files beside them, are as they were written.

A file's digest is its SHA-256, as ``sha256sum`` prints it.
"""

import contextlib
import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tf_iclrec.errors import UserError
from tf_iclrec.files import write_json

_FILES, _OWN = "files_sha256", "sha256"


class DamagedError(UserError):
    """A file is not as it was written."""


def write_sealed(
    path: Path,
    value: Mapping[str, Any],
    files: Iterable[str] = (),
    known: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Write a JSON object with digests of files beside it, and of itself.

    Args:
        path: The JSON file.
        value: The object.
        files: Names of files that belong to it, relative to its folder.
        known: Digests of those that have not been written since.

    Returns:
        The digests of the files.
    """
    sealed, known = dict(value), known or {}
    digests = {name: known.get(name) or digest(path.parent / name) for name in files}
    if digests:
        sealed[_FILES] = digests
    write_json(path, sealed | {_OWN: _digest_of(sealed)})
    return digests


def read_sealed(path: Path, files: Container[str] | None = None) -> dict[str, Any]:
    """Read what `write_sealed` wrote, or an earlier version without digests.

    Args:
        path: The JSON file.
        files: The files to look at. Defaults to all that belong to it.

    Returns:
        The object, without digests.

    Raises:
        DamagedError: If it, or one of the files, is not as it was written.
    """
    value, digests = _read(path)
    _check(path.parent, digests, files)
    return value


def check_files(path: Path, files: Container[str]) -> set[str]:
    """Look at files as `read_sealed` does.

    Returns:
        The names of those that are as they were written; of the others there are no digests.

    Raises:
        DamagedError: If the JSON file, or one of the files, is not as it was written.
    """
    return _check(path.parent, _read(path)[1], files)


@contextlib.contextmanager
def resealed(path: Path, name: str) -> Iterator[None]:
    """Write one of the files that belong to a sealed object anew.

    Meanwhile it belongs to nothing, so that it can be read whenever the writing is killed. The
    digests of the other files stay: they may be damaged.

    Args:
        path: The JSON file; where there is none, the file is just written.
        name: The file, relative to its folder.
    """
    if not path.is_file():
        yield
        return
    value, others = _read(path)
    others.pop(name, None)
    write_sealed(path, value, others, others)
    yield
    write_sealed(path, value, [*others, name], others)


def digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The object, and the digests of the files that belong to it."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise DamagedError(f"{path} is damaged: it holds no JSON object.")
    own = value.pop(_OWN, None)
    # An earlier version's file has neither.
    if own != _digest_of(value) and (own is not None or _FILES in value):
        raise DamagedError(f"{path} is damaged: it is not as it was written.")
    return value, dict(value.pop(_FILES, {}))


def _check(folder: Path, digests: Mapping[str, str], files: Container[str] | None) -> set[str]:
    """Look at those of the files that are asked for; returns which they are."""
    asked = {name for name in digests if files is None or name in files}
    for name in sorted(asked):
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DamagedError(f"{folder} is damaged: it names {name}, which lies elsewhere.")
        try:
            found = digest(path)
        except OSError as error:
            raise DamagedError(f"{path} can't be read: {error.strerror}.") from error
        if found != digests[name]:
            raise DamagedError(f"{path} is damaged: it is not as it was written.")
    return asked


def _digest_of(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
