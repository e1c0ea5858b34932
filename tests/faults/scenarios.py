"""Commands that are interrupted, with what is there before and after."""

import csv
import dataclasses
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tf_iclrec.data.synthetic import planted_intents

from . import states
from .processes import Outcome, Processes

OUTPUT = "{output}"
MODEL = ["--hidden-dim", 8, "--num-blocks", 1, "--num-intents", 3]
MODEL += ["--max-length", 10, "--batch-size", 32, "--learning-rate", 0.01, "--patience", 9]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A command, which can be given again.

    Attributes:
        name: What it is called.
        function: See `server.run`.
        arguments: With `OUTPUT` for what it writes.
        state: What is there, from `states`.
        start: What is there before, if anything: copied from here.
        says_unfinished: Whether what it leaves when it is killed may also be something that says
            itself that it is not finished.
        fast: See `server.run`.
    """

    name: str
    function: str
    arguments: list[Any]
    state: Callable[[Path], dict]
    start: Path | None = None
    says_unfinished: bool = False
    fast: bool = True

    def begin(self, folder: Path) -> Path:
        """The output, in an empty folder, as it is before the command."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        output = folder / ("recs.parquet" if self.state is states.of_file else "output")
        if self.start is not None and self.start.is_dir():
            shutil.copytree(self.start, output)
        elif self.start is not None:
            shutil.copy2(self.start, output)
        return output

    def run(self, processes: Processes, output: Path, **fault) -> Outcome:
        """The command, or the same command again."""
        given = [str(one).replace(OUTPUT, str(output)) for one in self.arguments]
        return processes.run(self.function, given, fast=self.fast, **fault)


def write_inputs(folder: Path) -> None:
    """Logs, and weights of the authors' program."""
    log, _ = planted_intents(num_users=60, num_items=30, num_intents=3)
    users = np.repeat(np.arange(log.num_users), log.lengths)
    items = np.array([int(item) + 1 for item in log.items.decode(log.item_ids)])
    times = np.random.default_rng(0).integers(60 * 86_400, size=len(users))
    times = times[np.lexsort((times, users))]
    for name, shift in (("log.csv", 0), ("newer.csv", 60 * 86_400)):
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "timestamp"])
            rows = zip(users.tolist(), items.tolist(), (times + shift).tolist(), strict=True)
            writer.writerows(rows)
    lines = [" ".join(map(str, [user + 1, *items[users == user]])) for user in range(log.num_users)]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    np.savez(folder / "weights.npz", **_published_weights(log.num_items))


def _published_weights(num_items: int, dim: int = 8, length: int = 10) -> dict[str, np.ndarray]:
    block = "item_encoder.layer.0"
    shapes = {"item_embeddings.weight": (num_items + 2, dim)}
    shapes |= {"position_embeddings.weight": (length, dim)}
    dense = {f"{block}.attention.{name}": (dim, dim) for name in ("query", "key", "value", "dense")}
    dense |= {f"{block}.intermediate.dense_1": (4 * dim, dim)}
    dense |= {f"{block}.intermediate.dense_2": (dim, 4 * dim)}
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in ("", f"{block}.attention.", f"{block}.intermediate."):
        shapes |= {f"{name}LayerNorm.weight": (dim,), f"{name}LayerNorm.bias": (dim,)}
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


class World:
    """What commands read, written when it is first asked for.

    Args:
        folder: Where to.
        processes: What runs the commands that write it.
    """

    def __init__(self, folder: Path, processes: Processes):
        self.folder, self.processes = folder, processes
        write_inputs(folder)
        self.log = ["--data", folder / "log.csv"]

    def make(self, output: str, module: str, *arguments, fast: bool = True) -> Path:
        """Run a command without faults; see `server.run`."""
        path = self.folder / output
        given = [str(one) for one in (*arguments, path)]
        outcome = self.processes.run(f"tf_iclrec.{module}:main", given, fast=fast)
        assert outcome.code == 0, outcome.errors
        return path

    @functools.cached_property
    def prepared(self) -> Path:
        """All of the log."""
        return self.make("prepared", "prepare", *self.log, "--output")

    @functools.cached_property
    def prepared_before(self) -> Path:
        """A part of it."""
        return self.make("before", "prepare", *self.log, "--until", "1970-02-01", "--output")

    @functools.cached_property
    def run(self) -> Path:
        """A run of two epochs."""
        return self._trained("run", "--epochs", 2, "--seed", 2)

    @functools.cached_property
    def simple_run(self) -> Path:
        """A run of a model that is only counted."""
        return self.make(
            "simple", "train", "--data", self.prepared, "--model", "transitions", "--output"
        )

    @functools.cached_property
    def other_run(self) -> Path:
        """One with another seed."""
        return self._trained("other", "--epochs", 1, "--seed", 1)

    @functools.cached_property
    def recommended(self) -> Path:
        """Other lists than those of the scenario."""
        return self.make("old.parquet", "recommend", self.run, "--k", 3, "--output")

    def _trained(self, name: str, *arguments) -> Path:
        return self.make(name, "train", "--data", self.prepared, *MODEL, *arguments, "--output")


def _prepare(name, world, *arguments, output="--output", start=None):
    given = [*arguments, output, OUTPUT]
    return Scenario(name, "tf_iclrec.prepare:main", given, states.of_prepared, start)


def _train(name, world, *arguments, epochs=2, start=None, says_unfinished=True, fast=True):
    given = ["--data", world.prepared, *MODEL, "--epochs", epochs, "--seed", 2, *arguments]
    given += ["--output", OUTPUT]
    return Scenario(
        name, "tf_iclrec.train:main", given, states.of_run, start, says_unfinished, fast
    )


def _roll(name, world):
    given = ["--data", world.prepared, "--model", "transitions", "--output", OUTPUT, "--resume"]
    given += ["--roll", "1970-01-30", "1970-02-20"]
    return Scenario(name, "tf_iclrec.train:main", given, states.of_rolling, says_unfinished=True)


def _convert(name, world):
    given = [world.folder / "weights.npz", "--data", world.folder / "sequences.txt"]
    given += ["--output", OUTPUT, "--overwrite"]
    return Scenario(name, "tf_iclrec.convert:main", given, states.of_run)


def _experiment(name, world):
    given = ["--data", world.folder, "--output", OUTPUT]
    return Scenario(
        name,
        "tests.faults.experiment:main",
        given,
        states.of_experiment,
        says_unfinished=True,
    )


def _recommend(name, world):
    given = [world.run, "--output", OUTPUT, "--overwrite"]
    return Scenario(name, "tf_iclrec.recommend:main", given, states.of_file, world.recommended)


def _export(name, world):
    given = [world.run, "--output", OUTPUT]
    return Scenario(name, "tf_iclrec.export:main", given, states.of_versions, fast=False)


# By name what makes the scenario, from its name and a world.
SCENARIOS: dict[str, Callable[[str, World], Scenario]] = {
    "prepare": lambda name, world: _prepare(name, world, *world.log),
    "prepare --overwrite": lambda name, world: _prepare(
        name, world, *world.log, "--overwrite", start=world.prepared_before
    ),
    "prepare --append": lambda name, world: _prepare(
        *(name, world, "--data", world.folder / "newer.csv"),
        output="--append",
        start=world.prepared,
    ),
    "train": lambda name, world: _train(name, world, "--resume"),
    "train --overwrite": lambda name, world: _train(
        name, world, "--overwrite", start=world.other_run, says_unfinished=False
    ),
    "train, more epochs": lambda name, world: _train(
        name, world, "--resume", epochs=3, start=world.run
    ),
    "train --refit": lambda name, world: _train(name, world, "--refit", "--resume"),
    "train, compiled, with export and page": lambda name, world: _train(
        name, world, "--resume", fast=False
    ),
    "train --roll": _roll,
    "convert": _convert,
    "experiment": _experiment,
    "recommend": _recommend,
    "export": _export,
}
