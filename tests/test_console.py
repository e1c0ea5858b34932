"""One name for all commands."""

import importlib
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tf_iclrec
from tf_iclrec.__main__ import COMMANDS, main

# Other tests have imported what is run here.
pytestmark = pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
ROOT = Path(__file__).parent.parent


def console(monkeypatch, capsys, *arguments):
    """Exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["tf-iclrec", *arguments])
    code = 0
    try:
        main()
    except SystemExit as stopped:
        code = stopped.code or 0
    return code, *capsys.readouterr()


def test_every_command_is_listed(monkeypatch, capsys):
    modules = (ROOT / "tf_iclrec").glob("*.py")
    runnable = {path.stem for path in modules if "__main__" in path.read_text()} - {"__main__"}
    assert set(COMMANDS) == runnable
    code, output, _ = console(monkeypatch, capsys)
    assert code == 0
    assert set(re.findall(r"^  (\w+)  ", output, flags=re.MULTILINE)) == runnable


def test_a_command_gets_its_arguments_and_ends_as_it_does(monkeypatch, capsys):
    code, output, _ = console(monkeypatch, capsys, "train", "--model", "gru4rec", "--help")
    assert (code, "python -m tf_iclrec.train" in output) == (0, True)
    code, _, errors = console(monkeypatch, capsys, "evaluate", "nowhere")
    assert (code, errors.count("\n"), "nowhere" in errors) == (2, 1, True)


def test_a_command_that_does_not_exist(monkeypatch, capsys):
    code, _, errors = console(monkeypatch, capsys, "trian")
    assert (code, errors) == (2, "error: Unknown command 'trian': did you mean 'train'?\n")


def test_the_installed_command_is_this_one(monkeypatch):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"tf-iclrec": "tf_iclrec.__main__:main"}
    monkeypatch.setattr(sys, "argv", ["tf_iclrec", "--help"])
    runpy.run_module("tf_iclrec", run_name="__main__")


def test_the_installed_command_says_its_line_and_nothing_else():
    command = Path(sys.executable).parent / "tf-iclrec"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    result = subprocess.run(
        [command, "trian"], capture_output=True, text=True, env=environment, check=False
    )
    assert result.returncode == 2
    assert result.stderr == "error: Unknown command 'trian': did you mean 'train'?\n"


def test_a_reader_that_has_seen_enough_gets_no_traceback():
    command = Path(sys.executable).parent / "tf-iclrec"
    with subprocess.Popen(
        [command, "train", "--list-models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_command_does_not_take_the_place_of_a_function(monkeypatch):
    function = tf_iclrec.recommend
    monkeypatch.delitem(sys.modules, "tf_iclrec.recommend", raising=False)
    command = importlib.import_module("tf_iclrec.recommend")
    assert callable(command.main)
    assert tf_iclrec.recommend is function
