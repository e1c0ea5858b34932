"""How much worse models are under noise: ICLRec's Fig. 4."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.noise import NoisyHistories, drops
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.experiments.results import Results
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.numbers import Figure
from tf_iclrec.runs import Run

_NAME = "noise"


def noise_measurement(shares: Sequence[float]) -> Measurement:
    """The test metrics with noise in the histories; see `NoisyHistories`.

    Args:
        shares: Items of noise in relation to those of the history.
    """
    return Measurement(_NAME, _metrics, {"shares": list(shares), "seed": 0})


def _metrics(run: Run, shares: Sequence[float], seed: int) -> dict[str, dict[str, float]]:
    found = {}
    for share in shares:
        noisy = NoisyHistories(run.model, run.split, "test", share, seed)
        ranks = held_out_ranks(noisy, run.split, "test", **run.config.evaluation)
        found[f"{share:g}"] = metrics_of_ranks(ranks)
    return found


def noise(metric: str) -> Callable[[Results], list[Part]]:
    """For each data set a metric by the share of noise, and by how many percent it drops."""

    def show(results: Results) -> list[Part]:
        return [_of_dataset(results, one.name, metric) for one in results.datasets]

    return show


def _of_dataset(results: Results, dataset: str, metric: str) -> Part:
    values, falls, rows = {}, {}, []
    for row in results.experiment.rows:
        found = results.outcomes(dataset, row)
        if not found:
            continue
        clean = {metric: results.mean(dataset, row, metric)}
        by_share = _mean([one.measured[_NAME] for one in found], metric)
        # NaN where there is nothing to lose, which charts leave out.
        fall = {
            share: drops(clean, {metric: one}).get(metric, float("nan"))
            for share, one in by_share.items()
        }
        shares = [0.0, *by_share]
        values[row.label] = shares, [clean[metric], *by_share.values()]
        falls[row.label] = shares, [0.0, *fall.values()]
        rows.append((row.label, Figure("0"), Figure(f"{clean[metric]:.4f}"), Figure("")))
        rows += [
            (row.label, Figure(f"{share:g}"), Figure(f"{one:.4f}"), Figure(_percent(fall[share])))
            for share, one in by_share.items()
        ]
    axis = "items of noise per item of the history"
    return Part(
        f"{dataset}: noise",
        [
            "Histories of the test with items added that the user never had, at random places; the "
            f"models are those trained without. The drop is how much lower {metric} is.",
            line_chart(f"{dataset}: test {metric} under noise", values, axis, metric),
            line_chart(f"{dataset}: drop of {metric} under noise", falls, axis, "%"),
            Table(f"{dataset}: under noise", ("", "noise", metric, "drop"), rows),
        ],
    )


def _percent(fall: float) -> str:
    return "" if math.isnan(fall) else f"{fall:.1f}%"


def _mean(measured: Sequence[Mapping[str, Mapping[str, float]]], metric: str) -> dict[float, float]:
    """Over seeds, by share."""
    return {
        float(share): float(np.mean([one[share][metric] for one in measured]))
        for share in measured[0]
    }
