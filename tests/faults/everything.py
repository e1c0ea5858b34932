"""All faults: ``python -m tests.faults.everything --output DIR [--only PART ...] [--share 0.1]``.

Each part writes what it found to the folder, and the table of all that is there is printed.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .hostile_answers import ask_all
from .killing import Killing
from .order import traced
from .processes import Processes
from .scenarios import MODEL, OUTPUT, SCENARIOS, World

# How often each command is killed at random: 200 times in all.
KILLS = {
    "prepare": 30,
    "prepare --overwrite": 30,
    "prepare --append": 30,
    "recommend": 40,
    "convert": 20,
    "experiment": 5,
    "train --roll": 10,
    "train": 18,
    "train --overwrite": 6,
    "train, more epochs": 5,
    "train --refit": 3,
    "export": 2,
    "train, compiled, with export and page": 1,
}
# One of so many steps is killed at, where a command takes long.
STRIDES = {"prepare": 4, "prepare --overwrite": 4, "prepare --append": 4, "recommend": 4}
OTHER_STRIDE = 25

# What a part finds: what was done, how often, and what was wrong.
Row = tuple[str, int, list[str]]


def kills(name: str, world: World, share: float) -> Iterator[Row]:
    """A scenario is killed at random, at some steps, and looked at at each."""
    killed = Killing(SCENARIOS[name](name, world), world.processes, world.folder / "killed")
    killed.at_random(max(1, round(KILLS[name] * share)), seed=len(name))
    yield f"{name}: killed at random moments, given again", killed.kills, killed.problems
    killed.kills, killed.problems = 0, []
    stride = round(STRIDES.get(name, OTHER_STRIDE) / share)
    killed.at_steps(range(stride // 2, len(killed.reference.steps), stride))
    yield (
        f"{name}: killed before or after a flush or rename, given again",
        killed.kills,
        (killed.problems),
    )
    killed.problems = []
    killed.look_at_every_step()
    yield f"{name}: what is there at every flush and rename", killed.looks, killed.problems


def disks(world: World, share: float) -> Iterator[Row]:
    """Commands on disks that are full, under a limit of the size of files, and read-only."""
    for name in ("prepare --overwrite", "train --overwrite", "recommend", "convert", "export"):
        scenario, problems, done = SCENARIOS[name](name, world), [], 0
        for limit in (0, 300, 1500, 20_000):
            output = scenario.begin(world.folder / "limited")
            before = scenario.state(output)
            outcome = scenario.run(world.processes, output, limits={"RLIMIT_FSIZE": limit})
            done += 1
            if outcome.code == 0:
                continue
            if not outcome.refused or "File too large" not in outcome.errors:
                problems.append(f"{name}, files up to {limit} bytes: {outcome.errors[-300:]}")
            if scenario.state(output) != before:
                problems.append(f"{name}, files up to {limit} bytes: another state")
        yield f"{name}: a limit of the size of files", done, problems
        problems, done = [], 0
        for kibibytes in (4, 40, 100, 200):
            with _disk(world.folder / "small", f"size={kibibytes}k") as disk:
                if disk is None:
                    continue
                output = disk / "output"
                outcome = scenario.run(world.processes, output)
                done += 1
                if outcome.code == 0:
                    continue
                if not outcome.refused or "No space left on device" not in outcome.errors:
                    problems.append(f"{name}, {kibibytes} KiB: {outcome.errors[-300:]}")
                left = [str(one) for one in disk.rglob(".writing.*")]
                if left:
                    problems.append(f"{name}, {kibibytes} KiB: left {left}")
        yield f"{name}: a disk of 4 to 200 KiB", done, problems


class _disk:
    """A small disk, or None where it may not be mounted."""

    def __init__(self, folder: Path, options: str):
        self.folder, self.options = folder, options

    def __enter__(self) -> Path | None:
        self.folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", str(self.folder)]
        self.is_mounted = subprocess.run(command, capture_output=True).returncode == 0
        return self.folder if self.is_mounted else None

    def __exit__(self, *_):
        if self.is_mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


def order(world: World, share: float) -> Iterator[Row]:
    """The calls of real commands, in their order."""
    for name in ("prepare --overwrite", "recommend", "train"):
        scenario = SCENARIOS[name](name, world)
        output = scenario.begin(world.folder / "traced")
        given = [str(one).replace(OUTPUT, str(output)) for one in scenario.arguments]
        try:
            problems = traced(scenario.function.split(":")[0].split(".")[1], given, output.parent)
        except RuntimeError as error:
            yield f"{name}: not traced: {error}", 0, []
        else:
            yield f"{name}: flushed before it is renamed, and after", 1, problems


def files(world: World, share: float) -> Iterator[Row]:
    """Damaged and hostile files."""
    sources = {"prepared": world.prepared, "runs": world.run, "models": world.run / "model.keras"}
    for kind, source in sources.items():
        number, folder = round(1000 * share), world.folder / "hostile"
        folder.mkdir()
        request = {"source": str(source), "folder": str(folder), "first": 0, "number": number}
        outcome = world.processes.run(f"tests.faults.hostile_files:check_{kind}", request)
        shutil.rmtree(folder)
        problems = [] if outcome.code == 0 else [f"code {outcome.code}: {outcome.errors[-300:]}"]
        found = json.loads(outcome.output.splitlines()[-1]) if outcome.code == 0 else {}
        counts = {name: found.pop(name, 0) for name in ("refused", "read")}
        yield f"{kind}: damaged or hostile, {counts}", number, [*problems, *found]


def requests(world: World, share: float) -> Iterator[Row]:
    """Hostile requests to each signature, through the C program and gRPC."""
    yield from ask_all(world.folder, round(1000 * share))


def long_life(world: World, share: float) -> Iterator[Row]:
    """What grows over many epochs and requests."""
    epochs = round(300 * share)
    given = ["--data", world.prepared, *MODEL, "--epochs", epochs, "--patience", epochs]
    given = [str(one) for one in [*given, "--output", world.folder / "long"]]
    outcome = world.processes.run("tests.faults.long_life:train_long", given)
    sizes = json.loads(outcome.output.splitlines()[-1])
    yield from _grown(f"training of {epochs} epochs", epochs, sizes)
    version = world.make("served", "export", world.run, "--output", fast=False) / "1"
    number = round(10_000 * share)
    request = {"folder": str(version), "items": [str(n) for n in range(1, 31)], "threads": 8}
    outcome = world.processes.run("tests.faults.long_life:serve_long", request | {"number": number})
    found = json.loads(outcome.output.splitlines()[-1])
    wrong = [f"{found['wrong']} answers differ from those of one thread"] * bool(found["wrong"])
    yield f"answers to 8 threads, as to one ({number} requests)", number, wrong
    yield from _grown(f"serving {number} requests from 8 threads", number, found["sizes"])


def _grown(what: str, number: int, sizes: list) -> Iterator[Row]:
    """From a third on, when all is warm, to the end."""
    (memory, handles), (memory_then, handles_then) = sizes[len(sizes) // 3], sizes[-1]
    grown = f"memory {memory:.0f} to {memory_then:.0f} MiB, {handles} to {handles_then} files"
    is_wrong = memory_then > 1.05 * memory or handles_then > handles
    yield f"{what}: {grown}", number, [grown] * is_wrong


PARTS: dict[str, Callable[[World, float], Iterator[Row]]] = {
    **{name: lambda world, share, name=name: kills(name, world, share) for name in KILLS},
    "disks": disks,
    "order": order,
    "files": files,
    "requests": requests,
    "long_life": long_life,
}


def table(folder: Path) -> str:
    """All that was found so far, and what was wrong."""
    rows = [row for name in PARTS for row in _read(folder / f"{name}.json")]
    lines = ["| what | times | wrong |", "|---|---|---|"]
    lines += [f"| {what} | {times} | {len(problems)} |" for what, times, problems in rows]
    wrong = [f"- {problem}" for _, _, problems in rows for problem in problems[:5]]
    return "\n".join([*lines, "", *wrong])


def _read(path: Path) -> list:
    return json.loads(path.read_text())["rows"] if path.is_file() else []


def main() -> None:
    """Run the parts that are asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of all that is done")
    values = parser.parse_args()
    values.output.mkdir(parents=True, exist_ok=True)
    processes = Processes()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), processes)
        for name in values.only:
            start = time.monotonic()
            rows = []
            for row in PARTS[name](world, values.share):
                rows.append(row)
                print(f"{row[0]}: {row[1]}, {len(row[2])} wrong {row[2][:3]}", flush=True)
            found = {"rows": rows, "seconds": round(time.monotonic() - start)}
            (values.output / f"{name}.json").write_text(json.dumps(found, indent=1))
    processes.close()
    print(table(values.output))


if __name__ == "__main__":
    main()
