"""Where a run is written while another one is in its place."""

import os
from pathlib import Path

import pytest

from tf_iclrec import UserError, fit, fit_at_dates, load_run, make_config, train
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.run_directory import RunDirectory

from .small_runs import write_log
from .timed_logs import timed_planted_intents


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


def test_an_output_is_called_as_it_is_written_where_that_stays_right(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "deep")
    monkeypatch.chdir(tmp_path / "deep")
    found = {name: RunDirectory.at(name).path for name in (".", "..", "../deep", "../link", "new")}
    assert found == {
        ".": tmp_path / "deep",
        "..": tmp_path,
        "../deep": tmp_path / "deep",
        "../link": tmp_path / "deep",
        "new": Path("new"),
    }


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_a_run_can_be_written_to_the_folder_one_is_in(tmp_path, monkeypatch, capsys):
    config = make_config("transitions", data=write_log(tmp_path / "log"))
    (tmp_path / "run" / "deep").mkdir(parents=True)
    for output in (".", "../run", "."):
        monkeypatch.chdir(tmp_path / "run")
        (tmp_path / "run" / "deep").rmdir()
        fit(config, output, overwrite=True)
        (tmp_path / "run" / "deep").mkdir()
        # The page, too, is there, though the folder that the command was started in is gone.
        assert f"Page: {tmp_path / 'run' / 'report.html'}" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path / "run" / "deep")
    fit(config, "..", overwrite=True)
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(UserError, match=f"The run in {tmp_path / 'run'} was not trained in epochs"):
        train.main(["--resume", "--output", "."])
    assert load_run(".").config == config
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "run"]


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_so_can_runs_at_dates(tmp_path, monkeypatch):
    write_prepared(timed_planted_intents(num_users=60, num_items=30, num_intents=3), tmp_path / "l")
    config = make_config("transitions", data=str(tmp_path / "l"))
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path / "runs")
    found = fit_at_dates(config, ["1970-03-01"], ".")
    with pytest.raises(UserError, match="was started in was replaced or removed: go there again"):
        fit_at_dates(config, ["1970-03-01"], ".", resume=True)
    monkeypatch.chdir(tmp_path / "runs")
    assert fit_at_dates(config, ["1970-03-01"], ".", resume=True) == found
    assert load_run("1970-03-01").metrics == found["1970-03-01"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l", "runs"]
