"""A small part of what `make faults` does (`everything`): commands are killed and run into faults
of disks, in processes of their own."""

import json
import os
import shutil
import subprocess

import pytest

from tf_iclrec.files import locked

from . import states
from .killing import Killing
from .order import out_of_order
from .processes import Processes
from .scenarios import SCENARIOS, World


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    processes = Processes()
    yield World(tmp_path_factory.mktemp("world"), processes)
    processes.close()


@pytest.fixture
def killing(world, tmp_path):
    return lambda name: Killing(SCENARIOS[name](name, world), world.processes, tmp_path / "killed")


@pytest.mark.parametrize("name", ["prepare --overwrite"])
def test_a_kill_leaves_the_old_or_the_new_at_every_step(killing, name):
    killed = killing(name)
    killed.look_at_every_step()
    killed.at_random(2, seed=0)
    assert killed.problems == []
    assert killed.looks > 100
    assert killed.kills == 2


def test_a_training_goes_on_bit_for_bit_after_a_kill_in_its_second_epoch(killing):
    killed = killing("train")
    steps = killed.reference.steps
    renames = [number for number, step in enumerate(steps) if step == "before replace"]
    # Before the state of the second epoch takes its place: history, model, figures and checksums
    # follow.
    killed.at_steps([renames[-5]])
    assert killed.problems == []
    assert killed.kills == 1


def _mounted(folder, *options):
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    return folder


@pytest.fixture
def full_disk(tmp_path):
    """Room for hardly anything."""
    folder = _mounted(tmp_path / "full", "-t", "tmpfs", "-o", "size=16k", "tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path, world):
    source = tmp_path / "source"
    shutil.copytree(world.prepared_before, source / "output")
    folder = _mounted(tmp_path / "read_only", "--bind", str(source))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def prepare(world, output, **fault):
    scenario = SCENARIOS["prepare --overwrite"]("", world)
    return scenario.run(world.processes, output, **fault)


def test_a_full_disk_is_one_line(world, full_disk):
    outcome = prepare(world, full_disk / "output")
    assert outcome.refused, outcome.errors
    assert "No space left on device" in outcome.errors
    assert os.listdir(full_disk) == []


def test_a_read_only_disk_is_one_line(world, read_only):
    outcome = prepare(world, read_only / "output")
    assert outcome.refused, outcome.errors
    assert "was not written: Read-only file system" in outcome.errors
    assert states.of_prepared(read_only / "output") == states.of_prepared(world.prepared_before)


def test_a_limit_of_the_size_of_files_is_one_line_and_the_old_stays(world, tmp_path):
    output = shutil.copytree(world.prepared_before, tmp_path / "output")
    outcome = prepare(world, output, limits={"RLIMIT_FSIZE": 1500})
    assert outcome.refused, outcome.errors
    assert "File too large" in outcome.errors
    assert states.of_prepared(output) == states.of_prepared(world.prepared_before)
    assert os.listdir(tmp_path) == ["output"]


def test_of_two_commands_on_one_output_the_second_is_refused(world, tmp_path):
    with locked(tmp_path / "output"):
        outcome = prepare(world, tmp_path / "output")
    assert outcome.refused, outcome.errors
    assert f"Another command is writing {tmp_path / 'output'}: wait" in outcome.errors
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("kind", "number"), [("prepared", 60), ("runs", 40), ("models", 30)])
def test_damaged_and_hostile_files_are_refused_or_read_as_they_were(world, tmp_path, kind, number):
    run = world.simple_run
    source = {"prepared": world.prepared, "runs": run, "models": run / "model.keras"}[kind]
    request = {"source": str(source), "folder": str(tmp_path), "first": 0, "number": number}
    outcome = world.processes.run(f"tests.faults.hostile_files:check_{kind}", request)
    assert outcome.code == 0, outcome.errors
    assert set(json.loads(outcome.output)) == {"refused", "read"}


def test_a_trace_tells_what_was_not_flushed(tmp_path):
    (tmp_path / "a").touch()
    write = f'1 write(3<{tmp_path}/.writing.1.a>, "x", 1) = 1'
    flush = f"1 fsync(4<{tmp_path}/.writing.1.a>) = 0"
    rename = f'1 rename("{tmp_path}/.writing.1.a", "{tmp_path}/a") = 0'
    last = f"1 fsync(5<{tmp_path}>) = 0"
    assert out_of_order([write, flush, rename, last], tmp_path) == []
    early = [f"{tmp_path}/a was renamed before it was flushed"]
    assert out_of_order([write, rename, last], tmp_path) == early
    assert out_of_order([flush, write, rename, last], tmp_path) == early
    unnamed = [f"the name of {tmp_path}/a was not flushed"]
    assert out_of_order([write, flush, last, rename], tmp_path) == unnamed
    assert out_of_order([], tmp_path) == ["nothing was renamed"]
