"""How often models are right: beside yardsticks, with intervals, and against an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tf_iclrec.analysis.compare_runs import compare_runs
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.reports.charts.interval_chart import interval_chart
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Figure, Score, p_value
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

_TESTED = (MAIN_METRIC, "HR@20", "MRR@20")


def metrics_section(runs: Sequence[ReportedRun], baseline: ReportedRun | None = None) -> Section:
    """Test metrics.

    Args:
        runs: What the page is about.
        baseline: What each of them is tested against.
    """
    found = metrics_of_all(runs, baseline)
    return section(
        "Test metrics",
        element(
            "p",
            "For each held-out interaction the whole catalogue is ranked by what the user did "
            "before. Intervals are at 95%, over users.",
        ),
        interval_chart(
            f"Test {MAIN_METRIC}",
            {name: _with_interval(one) for name, one in found.items()},
            MAIN_METRIC,
        ),
        _paired(runs, baseline) if baseline else None,
        _table(found, with_intervals=len(runs) == 1 and baseline is None),
    )


def metrics_of_all(
    runs: Sequence[ReportedRun], baseline: ReportedRun | None = None
) -> dict[str, Mapping[str, Any]]:
    """What ``metrics.json`` says of runs, of what they are compared with, and of the yardsticks of
    the first, by name."""
    everyone = [*runs, *([baseline] if baseline and baseline not in runs else [])]
    found = {one.name: one.run.metrics for one in everyone}
    for name, metrics in runs[0].run.metrics.get("yardsticks", {}).items():
        found.setdefault(name, metrics)
    return found


def _table(found: Mapping[str, Mapping[str, Any]], with_intervals: bool) -> Html:
    """A row for each metric, a column for each model, and for the intervals of the first one."""
    names = list(next(iter(found.values()))["test"])
    columns = {model: [Score(one["test"][name]) for name in names] for model, one in found.items()}
    first, *others = columns
    intervals = found[first].get("intervals")
    if with_intervals and intervals:
        ends = [intervals.get(name, ()) for name in names]
        written = [Figure(" to ".join(f"{end:.4f}" for end in of_one) or "-") for of_one in ends]
        columns = {first: columns[first], "95% interval": written} | {
            model: columns[model] for model in others
        }
    return table("Test metrics", ("", *columns), zip(names, *columns.values(), strict=True))


def _with_interval(metrics: Mapping[str, Any]) -> tuple[float, float, float]:
    value = metrics["test"][MAIN_METRIC]
    low, high = metrics.get("intervals", {}).get(MAIN_METRIC, (value, value))
    return value, low, high


def _paired(runs: Sequence[ReportedRun], baseline: ReportedRun) -> Html | list[Html]:
    """How the runs differ from another: of a single run with its lists, which are measured by its
    own vectors and intents then, as those of the other are."""
    rows, reasons = [], []
    for one in runs:
        if one is baseline:
            continue
        try:
            compared = compare_runs(one.run, baseline.run)
        except UserError as error:
            reasons.append(element("p", f"{one.name} and {baseline.name}: {error}"))
            continue
        others = [name for name in compared if name not in one.run.metrics["test"]]
        for name in [*_TESTED, *(others if len(runs) == 1 else [])]:
            difference = Figure(f"{compared[name].difference:+.4f}")
            # There is none of all users together.
            found = compared[name].p_value, compared[name].p_value_holm
            tested = ("" if value is None else p_value(value) for value in found)
            rows.append((one.name, name, difference, *tested))
    caption = f"Differences from {baseline.name}, user by user (paired t-test)"
    header = ("run", "metric", "difference", "p", "p, Holm")
    return [table(caption, header, rows) if rows else None, reasons]
