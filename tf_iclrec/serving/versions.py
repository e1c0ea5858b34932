"""Version folders, as TF Serving counts them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tf_iclrec.files import locked


def next_version(folder: str | Path) -> Path:
    """The next free version folder of a model: one more than the highest number there is.

    Example:
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "7").mkdir()
    >>> next_version(folder).name
    '8'
    """
    folder = Path(folder)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return folder / str(max((int(name) for name in names if name.isdecimal()), default=0) + 1)


@contextlib.contextmanager
def new_version(folder: str | Path) -> Iterator[Path]:
    """Yield `next_version`, for which no other command writes meanwhile.

    Raises:
        UserError: See `tf_iclrec.files.locked`.

    Example:
    >>> import tempfile
    >>> with new_version(Path(tempfile.mkdtemp()) / "shop") as version:
    ...     version.mkdir(parents=True)
    >>> next_version(version.parent).name
    '2'
    """
    with locked(folder):
        yield next_version(folder)
