import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tf_iclrec.files import write_json
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import start_run

from ..command_line import refused


@pytest.fixture(scope="module")
def finished(run, log, tmp_path_factory):
    """The folder of a finished run."""
    directory = RunDirectory(tmp_path_factory.mktemp("runs") / "shop")
    start_run(directory, run.config, log)
    run.model.save(directory.model)
    write_json(directory.metrics, run.metrics)
    return directory.path


def test_the_command_serves_until_ctrl_c_and_writes_nothing(finished):
    there = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    command = [sys.executable, "-m", "tf_iclrec.explore", finished, "--port", "0", "--no-browser"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job, such as these tests may be, has Ctrl-C switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        said = process.stdout.readline().split()
        assert (said[0], said[2:]) == ("Open", ["(Ctrl-C", "ends", "it)"])
        with urllib.request.urlopen(f"{said[1]}/api/run", timeout=60) as answer:
            assert json.load(answer)["name"] == "shop"
        host = said[1].removeprefix("http://").split(":")
        assert host[0] == "127.0.0.1"
        # Other addresses of this machine lead nowhere.
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", int(host[1])), timeout=5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert errors == "interrupted. The page is closed; nothing was written.\n"
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == there


def test_a_port_in_use_is_said(finished):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(f"Port {port} can't be used", "explore", finished, "--port", port)
    refused("Choose another --port", "explore", finished, "--port", 70000)


def test_the_extra_is_named(finished, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "tf_iclrec.explorer.server", raising=False)
    monkeypatch.delattr("tf_iclrec.explorer.server", raising=False)
    refused("pip install 'tf_iclrec[explore]'", "explore", finished, "--port", 0)


def test_a_run_that_is_not_there_or_not_finished(finished, tmp_path):
    refused("is not a run directory", "explore", tmp_path, "--port", 0)
    (tmp_path / "copy").mkdir()
    for name in ("config.json", "format.json"):
        (tmp_path / "copy" / name).write_bytes((finished / name).read_bytes())
    refused("is not finished", "explore", tmp_path / "copy", "--port", 0)


def test_a_table_of_items_that_is_not_there(finished, tmp_path):
    refused("items.csv", "explore", finished, "--items", tmp_path / "items.csv", "--port", 0)
