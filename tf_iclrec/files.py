"""Files and folders appear whole or not at all, and stay through a power failure: everything is
written under another name, put on the disk, and takes its place in one step.

A command holds a lock on what it writes, so that no two write the same.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tf_iclrec.errors import UserError

# What is being written, by the process of this number, also as a part of a folder that is being
# written itself; and what gave way to it.
_UNFINISHED = re.compile(r"(?:\.writing\.(\d+)\.)+(.+)")
_REPLACED = ".replaced."
# What a disk can refuse, in the words of the operating system: libraries in other languages hand
# on no more than those.
_STORAGE_FAULTS = [
    os.strerror(getattr(errno, name))
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO")
]
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; on success it takes the place of ``path``.

    The temporary name keeps the suffix, because several writers choose the format by it.

    Raises:
        UserError: If the disk is full, or the file can't be written for another such reason.

    Example:
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with replace_file(target) as path:
    ...     _ = path.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    temporary = _unfinished(path)
    with naming_faults(path):
        try:
            yield temporary
            _to_disk(temporary)
            os.replace(temporary, path)
            _to_disk(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def reserve(path: Path, size: int) -> None:
    """Make sure that a file of so many bytes fits, before it is written by a library that crashes
    when it does not, as HDF5 does.

    Raises:
        OSError: If it does not fit; see `naming_faults`.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS.
        return
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise


@contextlib.contextmanager
def replace_directory(path: Path) -> Iterator[Path]:
    """Like `replace_file`, for a folder; an existing one is there until the new one is."""
    path = path.resolve()
    temporary = _unfinished(path)
    shutil.rmtree(temporary, ignore_errors=True)  # Of a process with the same number.
    with naming_faults(path):
        try:
            yield temporary
            move_directory(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def move_directory(source: Path, target: Path) -> None:
    """Let a folder take the place of another one beside it, in one step, and remove that."""
    for folder, _, names in os.walk(source):
        for name in names:
            _to_disk(Path(folder, name))
        _to_disk(Path(folder))
    if target.exists():
        _exchange(source, target)
    else:
        os.rename(source, target)
    _to_disk(target.parent)
    shutil.rmtree(source, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """What `write_json` wrote; None if there is nothing, or something else."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


@contextlib.contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Let no other command write a file or folder meanwhile, and remove what one that was killed
    left half written there.

    The lock belongs to the process: it ends with it, whatever ends it.

    Raises:
        UserError: If another command writes there, or the place can't be written to.
    """
    path = Path(path).resolve()
    check_place(path)
    lock = path.with_name(f".{path.name}.lock")
    new_folders = [folder for folder in path.parents if not folder.exists()]
    with naming_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(lock, path)
    try:
        _clean_up(path)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)
        with contextlib.suppress(OSError):  # They are not empty, if all went well.
            for folder in new_folders:
                folder.rmdir()


def check_place(path: Path) -> None:
    """Make sure that folders are, or can be, above a path.

    Raises:
        UserError: If a file is.
    """
    for parent in path.parents:
        if parent.exists() and not parent.is_dir():
            raise UserError(f"{path} can't be written: {parent} is no folder.")


@contextlib.contextmanager
def naming_faults(path: Path) -> Iterator[None]:
    """Turn what a disk refuses while a path is written, whoever says so, into one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if reason := storage_fault(error):
            raise UserError(
                f"{path} was not written: {reason}. What was there is unchanged."
            ) from error
        raise


def storage_fault(error: BaseException) -> str:
    """What a disk refused, in the words of the operating system, and where, if that is known and
    no temporary name; ``""`` for any other error.

    Example:
    >>> storage_fault(RuntimeError("write failed: errno = 28, 'No space left on device'"))
    'No space left on device'
    >>> storage_fault(PermissionError(13, "Permission denied", "log.csv"))
    'Permission denied (log.csv)'
    """
    reason = next((words for words in _STORAGE_FAULTS if words in str(error)), "")
    where = getattr(error, "filename", None)
    if reason and where and not any(_UNFINISHED.fullmatch(part) for part in Path(where).parts):
        reason += f" ({where})"
    return reason


def _unfinished(path: Path) -> Path:
    return path.with_name(f".writing.{os.getpid()}.{path.name}")


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would outlive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # Some file systems have nothing to wait for.
            raise
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders: in one step where the file system can, else by way of a third name, which
    `locked` knows."""
    if _swapped(one, other):
        return
    aside = other.with_name(_REPLACED + other.name)
    os.rename(other, aside)
    os.rename(one, other)
    os.rename(aside, one)


def _swapped(one: Path, other: Path) -> bool:
    swap = getattr(ctypes.CDLL(None), "renameat2", None)  # Linux.
    here, exchange = -100, 2
    return swap is not None and not swap(here, bytes(one), here, bytes(other), exchange)


def _acquire(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The command before may have removed the file in between.
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise UserError(
                f"Another command is writing {path}: wait until it is done, or name another output."
            ) from None
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in _NO_LOCKS:  # A network file system without locks.
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)


def _clean_up(path: Path) -> None:
    """Finish or remove what dead processes left in or beside a path."""
    aside = path.with_name(_REPLACED + path.name)
    if aside.exists() and not path.exists():
        os.rename(aside, path)
    shutil.rmtree(aside, ignore_errors=True)
    inside = path.rglob(".writing.*") if path.is_dir() else []
    for one in [*path.parent.glob(".writing.*"), *inside]:
        found = _UNFINISHED.fullmatch(one.name)
        is_of_path = found and (one.parent != path.parent or found[2] == path.name)
        if not is_of_path or _is_another(int(found[1])):
            continue
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


def _is_another(process: int) -> bool:
    """Whether this is the number of another process that lives."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return process != os.getpid()
