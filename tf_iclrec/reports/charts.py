"""Charts as SVG, with their figures in a table below.

Places along a chart are in per cent of its width and heights in pixels, so that it fills
whatever width there is while its text stays as large as that around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tf_iclrec.reports.axis import Axis
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import readable, short
from tf_iclrec.reports.page import table

_HEIGHT = 180
_BELOW = 40  # Labels and the name of the axis.
_MOST_LABELS = 8
_MOST_LETTERS = 56  # Of all labels together.
NUM_COLORS = 6  # As many as the style has.


def bar_chart(
    title: str,
    labels: Sequence[str],
    values: Sequence[float] | np.ndarray,
    x_label: str,
    y_label: str = "interactions",
) -> Html:
    """A bar for each label, from zero upwards.

    Args:
        title: What it shows.
        labels: ``n`` names of the bars.
        values: ``(n,)`` none negative.
        x_label: What the labels are.
        y_label: What the values count.

    Example:
    >>> chart = bar_chart("Sales", ["tea", "jam"], [3, 1], "item", "sales")
    >>> chart.count("<rect"), "tea: 3" in chart
    (2, True)
    """
    values = np.asarray(values).tolist()
    axis = Axis.over([0, *values])
    tops = _from_top(axis.places(values))
    width = 100 / max(len(labels), 1)
    bars = [
        element(
            "rect",
            element("title", f"{label}: {readable(value)}"),
            x=_percent((index + 0.08) * width),
            width=_percent(0.84 * width),
            y=f"{top:.1f}",
            height=f"{_HEIGHT - top:.1f}",
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
    return _figure(
        title,
        f"{description}.",
        [_grid(axis), element("g", bars, class_="bars"), _names(places, x_label)],
        table(f"{title}: figures", (x_label, y_label), rows),
        y_label,
    )


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
            points=_polyline(x_axis.places(x), _from_top(y_axis.places(y))),
            class_=f"line{index % NUM_COLORS}",
            # The drawing is stretched to the width there is, the line is not.
            vector_effect="non-scaling-stroke",
        )
        for index, (name, (x, y)) in enumerate(points.items())
    ]
    stretched = element(
        "svg",
        drawn,
        width="100%",
        height=_HEIGHT,
        viewBox=f"0 0 100 {_HEIGHT}",
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
    rows = [
        (*((name,) if several else ()), *xy)
        for name, (x, y) in points.items()
        for xy in zip(x.tolist(), y.tolist(), strict=True)
    ]
    header = (*(("line",) if several else ()), x_label, y_label)
    return _figure(
        title,
        f"{description}.",
        [_grid(y_axis), stretched, _names(places, x_label)],
        table(f"{title}: figures", header, rows),
        y_label,
        _legend(list(lines)) if several else None,
    )


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


def _figure(
    title: str,
    description: str,
    drawing: list[Html],
    figures: Html,
    y_label: str,
    legend: Html | None = None,
) -> Html:
    chart = element(
        "svg",
        element("title", title),
        element("desc", description),
        drawing,
        role="img",
        class_="chart",
        height=_HEIGHT + _BELOW,
    )
    return element(
        "figure",
        element("figcaption", element("b", title), element("span", y_label)),
        legend,
        element("div", chart, class_="frame"),
        element("details", element("summary", "Figures"), figures),
    )


def _grid(axis: Axis) -> Html:
    """Lines across the chart with their numbers on the left."""
    ticks = axis.ticks()
    heights = [f"{top:.1f}" for top in _from_top(axis.places(ticks))]
    lines = [element("line", x1="0", x2="100%", y1=height, y2=height) for height in heights]
    numbers = [
        element("text", short(tick), x="0", y=height, dx="-6", dy="0.32em", text_anchor="end")
        for tick, height in zip(ticks, heights, strict=True)
    ]
    return element("g", lines, numbers, class_="grid")


def _names(places, x_label: str) -> Html:
    """Names below the chart; every second one only where it is wide."""
    names = [
        element(
            "text",
            name,
            x=_percent(100 * place),
            y=_HEIGHT + 16,
            text_anchor="middle",
            class_="minor" if index % 2 else None,
        )
        for index, (place, name) in enumerate(places)
    ]
    name = element("text", x_label, x="100%", y=_HEIGHT + 34, text_anchor="end", class_="axis")
    return element("g", names, name)


def _legend(names: list[str]) -> Html:
    entries = [
        element("li", element("i", class_=f"line{index % NUM_COLORS}"), name)
        for index, name in enumerate(names)
    ]
    return element("ul", entries, class_="legend")


def _from_top(places: np.ndarray) -> list[float]:
    return ((1 - places) * _HEIGHT).tolist()


def _percent(value: float) -> str:
    return f"{value:.3f}%"
