"""Every row on every data set, beside what the paper prints."""

from __future__ import annotations

from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.experiments.results import Comparison, Results
from tf_iclrec.experiments.row import Row
from tf_iclrec.reports.charts.interval_chart import interval_chart
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import Figure, p_value

_LEVEL = 0.05
_EXPLAINED = (
    f"Test figures, the whole catalogue ranked, of the best epoch by validation {MAIN_METRIC}; "
    "means over seeds, with the standard deviation where there are several; beside each what the "
    "paper prints."
)
_TESTED = (
    "Paired t-tests over users, whose figures are means over seeds, against the baseline that is "
    "best in the test; p-values are corrected by Holm's method for all tests of the data set. "
    f"▲ and ▼ mark figures that are above and below it at {_LEVEL:.0%}."
)


def comparison(results: Results) -> list[Part]:
    """A section for each data set: figures beside the paper's, tests against the best baseline.

    Example: the only training of a page has failed.
    >>> from pathlib import Path
    >>> from tf_iclrec.experiments import Dataset, Experiment
    >>> from tf_iclrec.experiments.store import Store
    >>> datasets, rows = [Dataset("shop", "completejourney")], [Row("ease")]
    >>> table = Experiment("mine", "Mine", datasets, rows, metrics=["HR@5"])
    >>> [trial] = table.trials()
    >>> results = Results(table, [trial], Store(Path("runs")), {trial.name: "out of memory"})
    >>> [part] = comparison(results)
    >>> print(part.content[1].markdown())
    **shop: test**
    <BLANKLINE>
    |  | HR@5 |
    |---|---|
    | ease | failed |
    """
    return [_of_dataset(results, one.name) for one in results.experiment.datasets]


def _of_dataset(results: Results, dataset: str) -> Part:
    experiment = results.experiment
    compared = results.comparisons(dataset)
    with_paper = any(place[0] == dataset for place in experiment.paper)
    header = [""]
    for metric in experiment.metrics:
        header += [metric, "paper"] if with_paper else [metric]
    rows = []
    for row in experiment.rows:
        cells: list[object] = [row.label]
        for metric in experiment.metrics:
            cells.append(
                Figure(figure(results, dataset, row, metric) + _mark(compared, row, metric))
            )
            if with_paper:
                cells.append(Figure(results.paper(dataset, row, metric)))
        rows.append(cells)
    content: list[str | Table | Html] = [_EXPLAINED, Table(f"{dataset}: test", header, rows)]
    failures = [
        (row.label, why) for row in experiment.rows if (why := results.failure(dataset, row))
    ]
    if failures:
        content.append(Table(f"{dataset}: failed", ("", "why"), failures))
    content += [_chart(results, dataset), *_tests(dataset, compared)]
    if untested := results.untested(dataset, compared):
        content.append(
            f"Not tested, as no baseline was asked for the same items of the same users: "
            f"{', '.join(untested)}."
        )
    return Part(dataset, content)


def figure(results: Results, dataset: str, row: Row, metric: str) -> str:
    """A mean with its deviation; why there is none."""
    if not results.outcomes(dataset, row):
        return "failed" if results.failure(dataset, row) else ""
    deviation = results.deviation(dataset, row, metric)
    spread = "" if deviation is None else f"±{deviation:.4f}"
    left = len(results.outcomes(dataset, row)) if results.failure(dataset, row) else 0
    seeds = f", {left} of {len(results.experiment.seeds)} seeds" if left else ""
    return f"{results.mean(dataset, row, metric):.4f}{spread}{seeds}"


def _mark(compared: dict[tuple[str, str], Comparison], row: Row, metric: str) -> str:
    found = compared.get((row.label, metric))
    if found is None or found.corrected >= _LEVEL:
        return ""
    return "▲" if found.difference > 0 else "▼"


def _chart(results: Results, dataset: str) -> Html:
    metrics = results.experiment.metrics
    metric = MAIN_METRIC if MAIN_METRIC in metrics else metrics[-1]
    rows = {}
    for row in results.experiment.rows:
        if results.outcomes(dataset, row):
            mean = results.mean(dataset, row, metric)
            spread = results.deviation(dataset, row, metric) or 0.0
            rows[row.label] = (mean, mean - spread, mean + spread)
    return interval_chart(f"{dataset}: test {metric}", rows, metric)


def _tests(dataset: str, compared: dict[tuple[str, str], Comparison]) -> list[str | Table]:
    if not compared:
        return []
    rows = [
        (
            label,
            metric,
            one.baseline,
            Figure(f"{one.difference:+.4f}"),
            Figure(f"{one.relative:+.1%}"),
            p_value(one.p_value),
            p_value(one.corrected),
        )
        for (label, metric), one in compared.items()
    ]
    header = ("", "metric", "best baseline", "difference", "relative", "p", "p, Holm")
    return [_TESTED, Table(f"{dataset}: against the best baseline", header, rows)]
