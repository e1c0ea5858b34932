import json

import pytest

from tf_iclrec.files import replace_directory, replace_file, write_json


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


def test_value_that_is_no_json_leaves_the_old_file(old_file):
    with pytest.raises(TypeError):
        write_json(old_file, {"ids": {1, 2}})
    assert old_file.read_text() == "old"
