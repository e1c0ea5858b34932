"""A figure of a paper: a metric along an axis, such as a setting."""

from __future__ import annotations

from collections.abc import Callable

from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.results import Results
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.markup import Html


def lines(
    axis: str, metric: str = MAIN_METRIC, log: bool = False
) -> Callable[[Results], list[Part]]:
    """A chart for each data set, with a line for each `Row.line`.

    Args:
        axis: Of the rows' places, `Row.at`; rows without one are left out.
        metric: What the lines show: the mean over seeds.
        log: Whether the axis is logarithmic.

    Example: one of the parts of a page; as long as nothing is trained there is no chart in it.
    >>> from pathlib import Path
    >>> from tf_iclrec.experiments import Dataset, Experiment, Row
    >>> from tf_iclrec.experiments.store import Store
    >>> rows = [Row(f"{k}", model="iclrec", settings={"num_intents": k}, at={"K": k}, line="ICLRec")
    ...         for k in (64, 256)]
    >>> figure = Experiment("k", "By K", [Dataset("shop", "log.csv")], rows, parts=[lines("K")])
    >>> [part] = figure.parts[0](Results(figure, [], Store(Path("runs")), {}))
    >>> part.title, part.content
    ('NDCG@20 by K', [])
    """

    def show(results: Results) -> list[Part]:
        charts = [_chart(results, one.name, axis, metric, log) for one in results.datasets]
        return [Part(f"{metric} by {axis}", [one for one in charts if one])]

    return show


def _chart(results: Results, dataset: str, axis: str, metric: str, log: bool) -> Html | None:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in results.experiment.rows:
        if axis in row.at and results.outcomes(dataset, row):
            place = row.at[axis], results.mean(dataset, row, metric)
            points.setdefault(row.line, []).append(place)
    if not points:
        return None
    drawn = {line: tuple(zip(*sorted(places), strict=True)) for line, places in points.items()}
    return line_chart(f"{dataset}: test {metric} by {axis}", drawn, axis, metric, x_log=log)
