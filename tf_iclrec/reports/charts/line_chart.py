"""Lines over an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.charts.frame import (
    HEIGHT,
    drawing,
    figure,
    from_top,
    grid,
    legend,
    line_class,
    names_below,
)
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import readable, short
from tf_iclrec.reports.page import table


def line_chart(
    title: str,
    lines: Mapping[str, tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray]],
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
) -> Html:
    """One or more lines.

    Args:
        title: What it shows.
        lines: By its name the x and y ``(n,)`` of each line; points that are not finite, or not
            positive on a logarithmic axis, are left out.
        x_label: What x is.
        y_label: What y is.
        x_log: Whether the x axis is logarithmic.
        y_log: Whether the y axis is.

    Example:
    >>> chart = line_chart("Loss", {"train": ([1, 2], [0.7, 0.5])}, "epoch", "loss")
    >>> chart.count("<polyline")
    1
    """
    points = {name: _drawable(*xy, x_log, y_log) for name, xy in lines.items()}
    every_x = np.concatenate([x for x, _ in points.values()] or [np.zeros(0)])
    every_y = np.concatenate([y for _, y in points.values()] or [np.zeros(0)])
    x_axis, y_axis = Axis.over(every_x, x_log), Axis.over(every_y, y_log)
    drawn = [
        element(
            "polyline",
            element("title", name),
            points=_polyline(x_axis.places(x), from_top(y_axis.places(y))),
            class_=line_class(index),
            # The drawing is stretched to the width there is, the line is not.
            vector_effect="non-scaling-stroke",
        )
        for index, (name, (x, y)) in enumerate(points.items())
    ]
    stretched = element(
        "svg",
        drawn,
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 100 {HEIGHT}",
        preserveAspectRatio="none",
        class_="lines",
    )
    ticks = x_axis.ticks()
    places = zip(x_axis.places(ticks), map(short, ticks), strict=True)
    description = "; ".join(
        f"{name}: from {readable(float(y[0]))} at {readable(float(x[0]))} "
        f"to {readable(float(y[-1]))} at {readable(float(x[-1]))}"
        for name, (x, y) in points.items()
        if len(x)
    )
    several = len(lines) > 1
    return figure(
        title,
        drawing(title, f"{description}.", grid(y_axis), stretched, names_below(places, x_label)),
        _figures(title, points, x_label, y_label),
        y_label,
        legend(list(lines)) if several else None,
    )


def _figures(title: str, points: Mapping[str, tuple], x_label: str, y_label: str) -> Html:
    """A row for each x, a column for each line."""
    lines = [dict(zip(x.tolist(), y.tolist(), strict=True)) for x, y in points.values()]
    rows = [(x, *(line.get(x, "") for line in lines)) for x in sorted(set().union(*lines))]
    header = (x_label, *(points if len(points) > 1 else [y_label]))
    return table(f"{title}: figures", header, rows)


def _polyline(lefts: np.ndarray, tops: list[float]) -> str:
    points = [f"{100 * left:.2f},{top:.1f}" for left, top in zip(lefts, tops, strict=True)]
    # A line from a single point to itself is a dot.
    return " ".join(points * 2 if len(points) == 1 else points)


def _drawable(x, y, x_log: bool, y_log: bool) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x), np.asarray(y)
    keep = np.isfinite(x) & np.isfinite(y)
    keep &= (x > 0) | (not x_log)
    keep &= (y > 0) | (not y_log)
    return x[keep], y[keep]
