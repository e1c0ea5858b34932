"""Values with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Mapping

from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.charts.frame import (
    BELOW,
    drawing,
    figure,
    names_below,
    percent,
    upright_grid,
)
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Score, readable, short
from tf_iclrec.reports.page import table

_ROW = 46


def interval_chart(
    title: str, rows: Mapping[str, tuple[float, float, float]], x_label: str
) -> Html:
    """A dot for each value and a line for its interval.

    Args:
        title: What it shows.
        rows: By name a value, and the ends of its interval; both are the value itself where the
            interval is not known.
        x_label: What the values are.

    Example:
    >>> chart = interval_chart("Hits", {"a": (0.2, 0.1, 0.3), "b": (0.1, 0.1, 0.1)}, "HR@5")
    >>> chart.count("<circle"), "a: 0.2000, from 0.1000 to 0.3000; b: 0.1000" in chart
    (2, True)
    """
    axis = Axis.over([value for row in rows.values() for value in row])
    texts = {name: _in_words(*row) for name, row in rows.items()}
    drawn = []
    for index, (name, row) in enumerate(rows.items()):
        dot, low, high = (percent(100 * place) for place in axis.places(row))
        top = index * _ROW
        middle = top + 32
        drawn += [
            element("text", name, x=0, y=top + 16, class_="name"),
            element("text", texts[name], x="100%", y=top + 16, text_anchor="end", class_="minor"),
            element("line", x1=low, x2=high, y1=middle, y2=middle),
            element("circle", element("title", texts[name]), cx=dot, cy=middle, r=5),
        ]
    height = len(rows) * _ROW
    ticks = axis.ticks()
    places = zip(axis.places(ticks), map(short, ticks), strict=True)
    description = "; ".join(f"{name}: {text}" for name, text in texts.items())
    parts = (
        upright_grid(axis, height),
        names_below(places, x_label, height),
        element("g", drawn, class_="dots"),
    )
    figures = [(name, *map(Score, row)) for name, row in rows.items()]
    return figure(
        title,
        drawing(title, f"{description}.", *parts, height=height + BELOW),
        table(f"{title}: figures", ("", x_label, "from", "to"), figures),
        kind="frame flush",
    )


def _in_words(value: float, low: float, high: float) -> str:
    written = readable(Score(value))
    if low == high:
        return written
    return f"{written}, from {readable(Score(low))} to {readable(Score(high))}"
