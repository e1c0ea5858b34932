"""A bar for each of some labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.charts.frame import (
    HEIGHT,
    drawing,
    figure,
    from_top,
    grid,
    names_below,
    percent,
)
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import readable
from tf_iclrec.reports.page import table

_MOST_LABELS = 8
_MOST_LETTERS = 56  # Of all labels together.


def bar_chart(
    title: str,
    labels: Sequence[str],
    values: Sequence[float] | np.ndarray,
    x_label: str,
    y_label: str = "interactions",
    figures: Html | None = None,
) -> Html:
    """A bar for each label, from zero upwards.

    Args:
        title: What it shows.
        labels: ``n`` names of the bars.
        values: ``(n,)`` none negative.
        x_label: What the labels are.
        y_label: What the values count.
        figures: A table that says more than the values, to stand below the chart.

    Example:
    >>> chart = bar_chart("Sales", ["tea", "jam"], [3, 1], "item", "sales")
    >>> chart.count("<rect"), "tea: 3" in chart
    (2, True)
    """
    values = np.asarray(values).tolist()
    axis = Axis.over([0, *values])
    tops = from_top(axis.places(values))
    width = 100 / max(len(labels), 1)
    bars = [
        element(
            "rect",
            element("title", f"{label}: {readable(value)}"),
            x=percent((index + 0.08) * width),
            width=percent(0.84 * width),
            y=f"{top:.1f}",
            height=f"{HEIGHT - top:.1f}",
        )
        for index, (label, value, top) in enumerate(zip(labels, values, tops, strict=True))
    ]
    most = min(_MOST_LABELS, max(1, _MOST_LETTERS // max(map(len, labels), default=1)))
    named = range(0, len(labels), max(1, math.ceil(len(labels) / most)))
    places = [((index + 0.5) / len(labels), labels[index]) for index in named]
    highest = max(range(len(values)), key=values.__getitem__, default=None)
    description = f"{len(labels)} bars"
    if highest is not None:
        description += f"; the highest is {labels[highest]} with {readable(values[highest])}"
    rows = list(zip(labels, values, strict=True))
    parts = (grid(axis), element("g", bars, class_="bars"), names_below(places, x_label))
    return figure(
        title,
        drawing(title, f"{description}.", *parts),
        figures or table(f"{title}: figures", (x_label, y_label), rows),
        y_label,
    )
