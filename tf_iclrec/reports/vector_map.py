"""Users on a map of their vectors, with what a reader has to know of it."""

from collections.abc import Mapping

import numpy as np

from tf_iclrec.reports.charts.frame import swatch
from tf_iclrec.reports.charts.scatter_chart import scatter_chart
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import readable
from tf_iclrec.reports.page import table

# The vectors of users, in words.
KINDS = {"last": "last state", "mean": "mean state"}
HOW_TO_READ = (
    "The silhouette is 1 where users of one value lie apart from all others, 0 where they are "
    "mixed, and below 0 where they lie among others; distances are by the cosine. Items are "
    "recommended by the last state; intents are clusters of the mean state. On a map only who is "
    "near whom counts: distances between groups, and how large they are drawn, say nothing."
)


def vector_map(
    name: str,
    kind: str,
    places: np.ndarray,
    values: np.ndarray,
    names: Mapping[int, str],
    caption: str,
    by: str = "value",
) -> Html:
    """Users in the plane, those of some values in colors.

    Args:
        name: Whose vectors they are.
        kind: Of `KINDS`.
        places: ``(users, 2)``.
        values: ``(users,)`` int.
        names: What values are called, of those in colors, in their order.
        caption: Of the table of these values.
        by: What the values are.
    """
    rows = [
        (element("span", swatch(index), text), index + 1, int((values == value).sum()))
        for index, (value, text) in enumerate(names.items())
    ]
    return scatter_chart(
        f"{name}: map of {readable(len(places))} users, {KINDS[kind]}",
        places,
        values,
        {value: str(index + 1) for index, value in enumerate(names)},
        table(caption, (by, "number", "users"), rows),
    )
