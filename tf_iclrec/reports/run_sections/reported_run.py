"""A run as a page shows it: what its directory holds, and what follows from that."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_iclrec.data.splits.split import HeldOut
from tf_iclrec.data.times import format_time
from tf_iclrec.evaluation.report import held_out_ranks
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import Run

# Test targets that are ranked for a comparison of two runs.
_MOST_RANKED = 10_000


@dataclasses.dataclass(frozen=True)
class ReportedRun:
    """A finished run and how it came about.

    Attributes:
        name: What it is called on the page.
        run: The run.
        history: By name the figures of each epoch, ``(epochs,)``, NaN where there is none; empty
            for a model that is not trained in epochs.
        trained: The day on which it was finished.
    """

    name: str
    run: Run
    history: dict[str, np.ndarray]
    trained: datetime.date

    @classmethod
    def of(cls, run: Run, directory: RunDirectory, name: str = "") -> ReportedRun:
        """A run and the folder in which it lies."""
        trained = datetime.datetime.fromtimestamp(directory.model.stat().st_mtime, datetime.UTC)
        name = name or directory.path.resolve().name
        return cls(name, run, _read_history(directory.history), trained.date())

    @property
    def epochs(self) -> np.ndarray:
        """``(epochs,)`` int64 numbers of the epochs, from 1."""
        return self.history["epoch"].astype(np.int64)

    @property
    def best_epoch(self) -> int:
        """That of which the figures are: the first with the best validation NDCG@20, or the last
        one where nothing is validated."""
        scores = self.history.get("val_NDCG@20", self.history["epoch"])
        return int(self.epochs[np.nanargmax(scores)])

    @property
    def source(self) -> str:
        """Name of what was trained on."""
        return ", ".join(map(str, self.run.config.data.source))

    @property
    def days(self) -> tuple[datetime.date, datetime.date] | None:
        """The first and the last day of the log (UTC), where times are known."""
        times = self.run.interactions.times
        if times is None or not len(times):
            return None
        first, last = (format_time(int(time)) for time in (times.min(), times.max()))
        return datetime.date.fromisoformat(first[:10]), datetime.date.fromisoformat(last[:10])

    @functools.cached_property
    def test_ranks(self) -> np.ndarray:
        """Ranks of test targets, ``(n,)`` int32: of all of them, or of so many as can be ranked
        in a short time, always the same ones."""
        evaluation = dict(self.run.config.evaluation)
        most = min(evaluation.pop("evaluation_users"), _MOST_RANKED)
        split = self.run.split
        return held_out_ranks(self.run.model, split, "test", evaluation_users=most, **evaluation)

    def why_not_comparable(self, other: ReportedRun) -> str | None:
        """What keeps figures of this run from being compared with another's; None if nothing
        does: both rank the same items, for the same targets after the same histories."""
        logs = [one.run.interactions for one in (self, other)]
        targets = [one.run.split.test for one in (self, other)]
        if not _equal([log.items.ids for log in logs]) or not _equal([log.users for log in logs]):
            return "they are on different data, with other users or items"
        if not _equal(list(map(_targets, targets))):
            return "they are on different data, with other interactions to test"
        seen = [one.run.config.evaluation.filter_seen for one in (self, other)]
        if seen[0] != seen[1]:
            return "one leaves a user's own items out of the ranking (filter_seen) and one does not"
        return None


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


def _targets(held_out: HeldOut) -> np.ndarray:
    return np.stack([held_out.users, held_out.target_ids, held_out.histories.lengths])


def _equal(pair: list[np.ndarray]) -> bool:
    return pair[0] is pair[1] or np.array_equal(*pair)


def _read_history(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    # A figure that is not in an epoch is an empty cell.
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
