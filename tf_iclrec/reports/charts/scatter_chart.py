"""Points in the plane, some groups of them in colors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tf_iclrec.reports.charts.frame import NUM_COLORS, drawing, percent
from tf_iclrec.reports.markup import Html, element

_WIDTH, _DOWN = 1000, 625  # Of the style's ratio of the sides.
_MARGIN = 0.04


def scatter_chart(
    title: str,
    points: np.ndarray,
    groups: np.ndarray,
    names: Mapping[int, str],
    legend: Html,
) -> Html:
    """A map of users, with what its colors mean beside it.

    Args:
        title: What it shows.
        points: ``(n, 2)`` places. They are moved and scaled, both ways alike.
        groups: ``(n,)`` int, the group of each point.
        names: Groups that get a color, at most `NUM_COLORS`, and what is written at their middle;
            the points of all others are grey.
        legend: A table of the groups in colors, with a `swatch` each: what the map says to those
            who don't see it.

    Example:
    >>> points = np.array([[0, 0], [1, 1], [1, 2]])
    >>> chart = scatter_chart("Map", points, np.array([7, 8, 8]), {8: "tea"}, Html(""))
    >>> chart.count("<path"), "3 users; those of tea in a color" in chart
    (2, True)
    """
    points = _on_paper(np.asarray(points, dtype=np.float64))
    others = ~np.isin(groups, list(names))
    drawn = [_dots(points[others], "rest")] if others.any() else []
    labels = []
    for index, (group, name) in enumerate(names.items()):
        own = points[groups == group]
        if not len(own):
            continue
        drawn.append(_dots(own, f"line{index % NUM_COLORS}", name))
        # Not the mean, which can lie between two clouds where no point is.
        left, top = np.median(own, axis=0)
        place = {"x": percent(100 * left / _WIDTH), "y": percent(100 * top / _DOWN)}
        labels.append(element("text", name, **place, text_anchor="middle", dy="0.35em"))
    clouds = element("svg", drawn, viewBox=f"0 0 {_WIDTH} {_DOWN}", class_="clouds")
    description = f"{len(points):,} users; those of {', '.join(names.values())} in a color."
    parts = clouds, element("g", labels, class_="labels")
    chart = drawing(title, description, *parts, height=None, kind="map")
    return element(
        "figure",
        element("figcaption", element("b", title)),
        element("div", chart, legend, class_="beside"),
    )


def _dots(points: np.ndarray, kind: str, name: str | None = None) -> Html:
    """One path of lines without length, whose round ends are dots: a tenth of so many circles."""
    path = "".join(f"M{x} {y}h0" for x, y in np.round(points).astype(int).tolist())
    title = element("title", name) if name else None
    return element("path", title, d=path, class_=kind, vector_effect="non-scaling-stroke")


def _on_paper(points: np.ndarray) -> np.ndarray:
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([_WIDTH, _DOWN]) * (1 - 2 * _MARGIN)
    scale = (room / np.maximum(high - low, 1e-12)).min()
    middle = (points - (low + high) / 2) * scale
    return middle * [1, -1] + np.array([_WIDTH, _DOWN]) / 2
