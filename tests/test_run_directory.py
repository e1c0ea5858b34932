"""Where a run is written while another one is in its place."""

import os

from tf_iclrec.run_directory import RunDirectory


def test_what_a_killed_training_left_of_its_run_is_removed(tmp_path):
    process = os.fork()
    if not process:
        os._exit(0)
    os.waitpid(process, 0)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.json").write_text("{}")
    # What the dead process was writing: the beginning of the new run, and its place.
    for name in ("mine.new", "mine"):
        (tmp_path / f".writing.{process}.{name}").mkdir()
    with RunDirectory(mine).written(resume=False, overwrite=True) as directory:
        assert directory.path == tmp_path / "mine.new"
        assert sorted(path.name for path in tmp_path.glob(".writing.*")) == []
        directory.path.mkdir()
        (directory.path / "config.json").write_text("[]")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (mine / "config.json").read_text() == "[]"
