"""What charts have in common: the frame with its title, axis, legend and table of figures.

Places along a chart are in per cent of its width and heights in pixels, so that it fills
whatever width there is while its text stays as large as that around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import short

HEIGHT = 180
BELOW = 40  # Labels and the name of the axis.
NUM_COLORS = 6  # As many as the style has.


def figure(
    title: str,
    chart: Html,
    figures: Html,
    unit: str | None = None,
    legend: Html | None = None,
    kind: str = "frame",
) -> Html:
    """A chart under its title, with its figures folded below it.

    Args:
        title: What it shows.
        chart: Of `drawing`.
        figures: A table of what is drawn.
        unit: What stands along the vertical axis.
        legend: Of `legend`.
        kind: Class of what is around the chart: ``"frame"`` has room for numbers on the left.
    """
    return element(
        "figure",
        element("figcaption", element("b", title), element("span", unit) if unit else None),
        legend,
        element("div", chart, class_=kind),
        element("details", element("summary", "Figures"), figures),
    )


def drawing(
    title: str, description: str, *parts: Html, height: int | None = HEIGHT + BELOW, kind: str = ""
) -> Html:
    """An SVG that is read out as its title and description.

    Args:
        title: What it shows.
        description: What is to be seen, in a sentence.
        parts: What is drawn.
        height: In pixels; None where the style says it.
        kind: A further class of the style.
    """
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        parts,
        role="img",
        class_=f"chart {kind}".rstrip(),
        height=height,
    )


def grid(axis: Axis) -> Html:
    """Lines across the chart with their numbers on the left."""
    ticks = axis.ticks()
    heights = [f"{top:.1f}" for top in from_top(axis.places(ticks))]
    lines = [element("line", x1="0", x2="100%", y1=height, y2=height) for height in heights]
    numbers = [
        element("text", short(tick), x="0", y=height, dx="-6", dy="0.32em", text_anchor="end")
        for tick, height in zip(ticks, heights, strict=True)
    ]
    return element("g", lines, numbers, class_="grid")


def upright_grid(axis: Axis, height: float) -> Html:
    """Lines down the chart, for `names_below`."""
    places = [percent(100 * place) for place in axis.places(axis.ticks())]
    lines = [element("line", x1=place, x2=place, y1=0, y2=f"{height:.1f}") for place in places]
    return element("g", lines, class_="grid")


def names_below(places: Iterable[tuple[float, str]], x_label: str, top: float = HEIGHT) -> Html:
    """Names below the chart; every second one only where it is wide."""
    names = [
        element(
            "text",
            name,
            x=percent(100 * place),
            y=top + 16,
            text_anchor="middle",
            class_="minor" if index % 2 else None,
        )
        for index, (place, name) in enumerate(places)
    ]
    name = element("text", x_label, x="100%", y=top + 34, text_anchor="end", class_="axis")
    return element("g", names, name)


def legend(names: Sequence[str]) -> Html:
    """What the lines are called."""
    entries = [element("li", swatch(index), name) for index, name in enumerate(names)]
    return element("ul", entries, class_="legend")


def swatch(index: int) -> Html:
    """A bit of a line's color."""
    return element("i", class_=f"swatch {line_class(index)}")


def line_class(index: int) -> str:
    """The style of a line: its color, and dashes where all colors have been used."""
    return f"line{index % NUM_COLORS}" + " again" * (index >= NUM_COLORS)


def from_top(places: np.ndarray) -> list[float]:
    """Places on an axis in pixels from the top."""
    return ((1 - places) * HEIGHT).tolist()


def percent(value: float) -> str:
    """A place across the chart."""
    return f"{value:.3f}%"
