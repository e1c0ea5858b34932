import errno
import json
import os
import re
import resource
import signal
from pathlib import Path

import pytest

from tf_iclrec import UserError, files
from tf_iclrec.files import locked, read_json, replace_directory, replace_file, reserve, write_json

from .faults.steps import flushed_path, watched


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_text("old")
    return path


@pytest.fixture
def old_folder(tmp_path):
    path = tmp_path / "export"
    path.mkdir()
    (path / "old.txt").write_text("old")
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_is_replaced_only_at_the_end(old_file):
    with replace_file(old_file) as temporary:
        temporary.write_text("new")
        assert old_file.read_text() == "old"
    assert old_file.read_text() == "new"
    assert names(old_file.parent) == ["weights.npz"]


def test_temporary_file_lies_beside_the_file_and_has_its_suffix(old_file):
    with replace_file(old_file) as temporary:
        temporary.touch()
        assert (temporary.parent, temporary.suffix) == (old_file.parent, ".npz")
        assert temporary != old_file


def test_failure_leaves_the_old_file_and_nothing_else(old_file):
    with pytest.raises(RuntimeError, match="disk full"), replace_file(old_file) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError("disk full")
    assert old_file.read_text() == "old"
    assert names(old_file.parent) == ["weights.npz"]


def test_folder_is_replaced_whole(old_folder):
    with replace_directory(old_folder) as temporary:
        temporary.mkdir()
        (temporary / "new.txt").write_text("new")
        assert names(old_folder) == ["old.txt"]
    assert names(old_folder) == ["new.txt"]
    assert names(old_folder.parent) == ["export"]


def test_failure_leaves_the_old_folder_and_nothing_else(old_folder):
    with pytest.raises(RuntimeError), replace_directory(old_folder) as temporary:  # noqa: PT012
        temporary.mkdir()
        (temporary / "new.txt").write_text("half")
        raise RuntimeError
    assert names(old_folder) == ["old.txt"]
    assert names(old_folder.parent) == ["export"]


def test_written_json_reads_back(tmp_path):
    value = {"HR@5": 0.25, "ids": ["é", "007"], "best": None}
    write_json(tmp_path / "metrics.json", value)
    assert json.loads((tmp_path / "metrics.json").read_text()) == value
    assert read_json(tmp_path / "metrics.json") == value


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_nothing(tmp_path, content):
    (tmp_path / "plan.json").write_text(content)
    assert read_json(tmp_path / "plan.json") is read_json(tmp_path / "none.json") is None


def test_value_that_is_no_json_leaves_the_old_file(old_file):
    with pytest.raises(TypeError):
        write_json(old_file, {"ids": {1, 2}})
    assert old_file.read_text() == "old"


# Durability


@pytest.fixture
def order(monkeypatch):
    """Flushes and renames in their order, by the names of files as they are at the end."""
    calls = []

    def on_step(name, arguments):
        when, call = name.split()
        if when == "before" and call == "fsync":
            calls.append(("flush", Path(flushed_path(arguments[0])).name))
        elif when == "before" and call in ("replace", "rename", "swapped"):
            calls.append(("rename", Path(arguments[1]).name))

    with watched(on_step):
        yield calls


def without_temporary_names(calls):
    return [(what, re.sub(r"\.writing\.\d+\.", "new ", name)) for what, name in calls]


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_name_after(old_file, order):
    with replace_file(old_file) as temporary:
        temporary.write_text("new")
    assert without_temporary_names(order) == [
        ("flush", "new weights.npz"),
        ("rename", "weights.npz"),
        ("flush", old_file.parent.name),
    ]


def test_so_is_all_that_is_in_a_folder(old_folder, order):
    with replace_directory(old_folder) as temporary:
        (temporary / "deep").mkdir(parents=True)
        for name in ("one.txt", "deep/two.txt"):
            (temporary / name).write_text("new")
    *flushes, rename, last = without_temporary_names(order)
    assert sorted(flushes) == [
        ("flush", name) for name in ("deep", "new export", "one.txt", "two.txt")
    ]
    assert rename == ("rename", "export")
    assert last == ("flush", old_folder.parent.name)


def test_a_folder_is_swapped_in_one_step(old_folder, order):
    """At no moment is there none: one call of the kernel, and nothing renamed before it."""
    with replace_directory(old_folder) as temporary:
        temporary.mkdir()
    assert [name for what, name in order if what == "rename"] == ["export"]


def test_where_folders_can_t_be_swapped_the_old_one_comes_back(old_folder, monkeypatch):
    monkeypatch.setattr(files, "_swapped", lambda one, other: False)
    with replace_directory(old_folder) as temporary:
        temporary.mkdir()
        (temporary / "new.txt").touch()
    assert names(old_folder) == ["new.txt"]
    assert names(old_folder.parent) == ["export"]
    # As a command leaves it that is killed between the renames.
    old_folder.rename(old_folder.with_name(".replaced.export"))
    with locked(old_folder):
        assert names(old_folder) == ["new.txt"]


def test_a_link_to_a_folder_stays_a_link(old_folder, tmp_path):
    (tmp_path / "link").symlink_to(old_folder)
    with replace_directory(tmp_path / "link") as temporary:
        temporary.mkdir()
        (temporary / "new.txt").touch()
    assert (tmp_path / "link").is_symlink()
    assert names(old_folder) == ["new.txt"]


# Before a library writes that crashes when it can't


def test_a_file_that_does_not_fit_is_known_before_it_is_written(old_file):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        said = pytest.raises(UserError, match="was not written: File too large")
        with said, replace_file(old_file) as path:
            reserve(path, 1001)
        with replace_file(old_file) as path:
            reserve(path, 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert old_file.stat().st_size == 1000


# Locks


def test_a_second_command_is_refused_while_the_first_one_writes(tmp_path):
    output = tmp_path / "runs" / "mine"
    with locked(output):
        refused = pytest.raises(UserError, match=f"Another command is writing {output}: wait")
        with refused, locked(tmp_path / "runs" / "." / "mine"):
            pass
        with locked(tmp_path / "runs" / "other"):
            pass
    with locked(output):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", ["new", "new/deep/er"])
def test_nothing_is_written_below_a_file(old_file, place):
    output = old_file / place
    message = f"{output} can't be written: {old_file} is no folder."
    with pytest.raises(UserError) as refused, locked(output):
        pass
    assert str(refused.value) == message
    assert names(old_file.parent) == ["weights.npz"]


def test_a_dead_process_holds_no_lock_and_its_remains_are_removed(old_folder):
    process = os.fork()
    if not process:
        try:
            held = locked(old_folder)
            held.__enter__()
            # The last one is a part of a folder that is being written itself.
            part = old_folder.with_name(f".writing.{os.getpid()}.export")
            for path in (old_folder / "checkpoints" / "weights.h5", old_folder, part):
                unfinished = path.with_name(f".writing.{os.getpid()}.{path.name}")
                unfinished.parent.mkdir(exist_ok=True)
                unfinished.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)  # Or an error would have it go on with the other tests.
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    alive = old_folder.with_name(f".writing.{os.getppid()}.export")
    other = old_folder.with_name(f".writing.{process}.other")
    for path in (alive, other):
        path.touch()
    with locked(old_folder):
        assert names(old_folder / "checkpoints") == []
    assert names(old_folder.parent) == sorted([alive.name, other.name, "export"])


# What disks refuse


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (RuntimeError("HDF5: errno = 27, error message = 'File too large'"), "File too large"),
        (OSError(errno.EROFS, "Read-only file system", "/mnt/x"), r"system \(/mnt/x\)"),
    ],
)
def test_what_a_disk_refuses_is_one_line(old_file, error, reason):
    said = pytest.raises(UserError, match=rf"weights.npz was not written: .*{reason}\. What was")
    with said, replace_file(old_file) as temporary:
        temporary.write_text("half")
        raise error
    assert old_file.read_text() == "old"
    assert names(old_file.parent) == ["weights.npz"]
