"""Version folders, as TF Serving counts them."""

from pathlib import Path


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
