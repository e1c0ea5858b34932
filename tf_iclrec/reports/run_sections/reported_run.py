"""A run as a page shows it: what its directory holds, and what follows from that."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_iclrec.checksums import read_sealed
from tf_iclrec.data.times import format_time
from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import Run


@dataclasses.dataclass(frozen=True)
class ReportedRun:
    """A finished run and how it came about.

    Attributes:
        name: What it is called on the page.
        run: The run.
        history: By name the figures of each epoch, ``(epochs,)``, NaN where there is none; empty
            for a model that is not trained in epochs.
        trained: The day on which it was finished (UTC).
    """

    name: str
    run: Run
    history: dict[str, np.ndarray]
    trained: datetime.date

    @classmethod
    def of(cls, run: Run, directory: RunDirectory, name: str = "") -> ReportedRun:
        """A run and the folder in which it lies."""
        name = name or directory.path.resolve().name
        return cls(name, run, _read_history(directory.history), _trained(directory))

    @property
    def epochs(self) -> np.ndarray:
        """``(epochs,)`` int64 numbers of the epochs, from 1."""
        return self.history["epoch"].astype(np.int64)

    @property
    def best_epoch(self) -> int:
        """That of which the figures are: the first with the best validation NDCG@20, or the last
        one where nothing is validated."""
        scores = self.history.get(f"val_{MAIN_METRIC}", self.history["epoch"])
        return int(self.epochs[np.nanargmax(scores)])

    @property
    def source(self) -> str:
        """Name of what was trained on."""
        return ", ".join(map(str, self.run.config.data.source))

    @functools.cached_property
    def days(self) -> tuple[datetime.date, datetime.date] | None:
        """The first and the last day of the log (UTC), where times are known."""
        times = self.run.interactions.times
        if times is None or not len(times):
            return None
        first, last = (format_time(int(time)) for time in (times.min(), times.max()))
        return datetime.date.fromisoformat(first[:10]), datetime.date.fromisoformat(last[:10])


def distinct_names(paths: Sequence[str | Path]) -> list[str]:
    """Names for runs: those of their folders, or as much more of the paths as tells them apart.

    Example:
    >>> distinct_names(["runs/a", "runs/b"]), distinct_names(["may/a", "june/a"])
    (['a', 'b'], ['may/a', 'june/a'])
    """
    parts = [Path(path).resolve().parts for path in paths]
    different = len(set(parts))
    longest = max(map(len, parts))
    for length in range(1, longest + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == different:
            break
    return names


def _trained(directory: RunDirectory) -> datetime.date:
    sealed = read_sealed(directory.checksums, ()) if directory.checksums.is_file() else {}
    if "trained" in sealed:
        return datetime.date.fromisoformat(sealed["trained"])
    # Of an earlier version: right unless it was copied.
    written = directory.model.stat().st_mtime
    return datetime.datetime.fromtimestamp(written, datetime.UTC).date()


def _read_history(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # A figure that is not in an epoch is an empty cell.
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
