"""What the trainings of an experiment say, over seeds and over users."""

from __future__ import annotations

import dataclasses
import functools
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_iclrec.evaluation.metrics import gains_of_ranks
from tf_iclrec.evaluation.significance import holm_correction, paired_t_test
from tf_iclrec.experiments.row import Row
from tf_iclrec.experiments.store import RANKS, TRIAL, Store
from tf_iclrec.experiments.trial import Trial

if TYPE_CHECKING:
    from tf_iclrec.experiments.experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A finished training.

    Attributes:
        trial: What was trained.
        metrics: Of the test, by name.
        ranks: ``(targets,)`` of the test items, 1 = best.
        users: ``(targets,)`` whose they are; None if that was not kept, and a user has one.
        asked: A digest of users and items; empty if that was not kept.
        seconds: Of training.
        best_epoch: Number of the epoch that was kept; None without epochs.
        measured: The answers of its measurements, by their names.
    """

    trial: Trial
    metrics: Mapping[str, float]
    ranks: np.ndarray
    users: np.ndarray | None
    asked: str
    seconds: float
    best_epoch: int | None
    measured: Mapping[str, Any]

    @classmethod
    def read(cls, trial: Trial, store: Store) -> Outcome:
        """A training that `Store.lacks` nothing."""
        run = store.run(trial)
        state = json.loads(run.state.read_text()) if run.state.is_file() else {}
        with np.load(run.path / RANKS) as ranks:
            return cls(
                trial,
                json.loads(run.metrics.read_text())["test"],
                ranks["test"],
                ranks.get("users"),
                str(ranks.get("asked", "")),
                json.loads((run.path / TRIAL).read_text())["seconds"],
                state.get("best_epoch"),
                {
                    one.name: json.loads((run.path / one.file).read_text())
                    for one in trial.measurements
                },
            )

    def is_of_same_targets(self, other: Outcome) -> bool:
        """Whether both were asked for the same items of the same users, as far as is known."""
        known = {self.asked, other.asked} - {""}
        return len(self.ranks) == len(other.ranks) and len(known) < 2

    @functools.cached_property
    def gains(self) -> dict[str, np.ndarray]:
        """The metrics of each test item, ``(targets,)``."""
        return gains_of_ranks(self.ranks)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A row against the best baseline, in one metric.

    Attributes:
        baseline: Label of the baseline with the highest mean.
        difference: Of the means, the row's minus the baseline's.
        relative: The same as a share of the baseline's mean.
        p_value: Of the paired t-test over users, each with the mean over seeds.
        corrected: By Holm's method, among all tests on the same data set.
    """

    baseline: str
    difference: float
    relative: float
    p_value: float
    corrected: float


class Results:
    """Finished and failed trainings of an experiment.

    Args:
        experiment: What was to be trained.
        trials: Its trials.
        store: Where they are; what is not there has no figures.
        failed: Why others failed, by the names of the trials.
        data: Folder of the data.
    """

    def __init__(
        self,
        experiment: Experiment,
        trials: Sequence[Trial],
        store: Store,
        failed: Mapping[str, str],
        data: Path | None = None,
    ):
        self.experiment = experiment
        self.datasets, self.data, self.folder = experiment.datasets, data, store.folder
        self._outcomes: dict[tuple[str, str], list[Outcome]] = {}
        self._failures: dict[tuple[str, str], str] = {}
        for trial in trials:
            place = trial.dataset, trial.row
            if trial.name in failed:
                self._failures[place] = failed[trial.name]
            elif not store.lacks(trial):
                self._outcomes.setdefault(place, []).append(Outcome.read(trial, store))

    def outcomes(self, dataset: str, row: Row) -> list[Outcome]:
        """The finished trainings of a row, by seed."""
        return self._outcomes.get((dataset, row.label), [])

    def failure(self, dataset: str, row: Row) -> str:
        """Why a training of a row failed; empty if none did."""
        return self._failures.get((dataset, row.label), "")

    def values(self, dataset: str, row: Row, metric: str) -> list[float]:
        """A metric, by seed."""
        return [one.metrics[metric] for one in self.outcomes(dataset, row)]

    def mean(self, dataset: str, row: Row, metric: str) -> float:
        """Over seeds; NaN where nothing is trained."""
        return statistics.fmean(self.values(dataset, row, metric) or [float("nan")])

    def deviation(self, dataset: str, row: Row, metric: str) -> float | None:
        """The standard deviation over seeds; None of fewer than two."""
        values = self.values(dataset, row, metric)
        return statistics.stdev(values) if len(values) > 1 else None

    def paper(self, dataset: str, row: Row, metric: str) -> str:
        """What the paper prints; empty if nothing."""
        return self.experiment.paper.get((dataset, row.label, metric), "")

    def best_baseline(self, dataset: str, metric: str, than: Row) -> Row | None:
        """The trained baseline with the highest mean, of those of a row's group that were asked for
        the same items of the same users."""
        found = self.outcomes(dataset, than)
        trained = [
            row
            for row in self.experiment.rows
            if row.baseline and row.group == than.group and self.outcomes(dataset, row)
            if found and found[0].is_of_same_targets(self.outcomes(dataset, row)[0])
        ]
        return max(trained, key=lambda row: self.mean(dataset, row, metric), default=None)

    def comparisons(self, dataset: str) -> dict[tuple[str, str], Comparison]:
        """Each row that is no baseline against the best one, by label and metric."""
        found = {}
        for metric in self.experiment.metrics:
            for row in self.experiment.rows:
                best = None if row.baseline else self.best_baseline(dataset, metric, row)
                if best:
                    found[row.label, metric] = self._compared(dataset, row, best, metric)
        corrected = holm_correction([one.p_value for one in found.values()])
        return {
            place: dataclasses.replace(one, corrected=p_value)
            for (place, one), p_value in zip(found.items(), corrected, strict=True)
        }

    def untested(self, dataset: str, compared: Mapping[tuple[str, str], Comparison]) -> list[str]:
        """Labels of trained rows whose group has baselines, none of the same items and users: they
        are not among the `comparisons`."""
        groups = {
            row.group
            for row in self.experiment.rows
            if row.baseline and self.outcomes(dataset, row)
        }
        tested = {label for label, _ in compared}
        return [
            row.label
            for row in self.experiment.rows
            if self.outcomes(dataset, row) and row.group in groups
            if not row.baseline and row.label not in tested
        ]

    def _compared(self, dataset: str, row: Row, best: Row, metric: str) -> Comparison:
        gains = [self._gains(dataset, one, metric) for one in (row, best)]
        test = paired_t_test(*gains, self.outcomes(dataset, row)[0].users)
        means = [self.mean(dataset, one, metric) for one in (row, best)]
        relative = (means[0] - means[1]) / means[1] if means[1] else float("nan")
        return Comparison(best.label, test.difference, relative, test.p_value, test.p_value)

    def _gains(self, dataset: str, row: Row, metric: str) -> np.ndarray:
        gains = [one.gains[metric].astype(np.float64) for one in self.outcomes(dataset, row)]
        return np.mean(gains, axis=0)
