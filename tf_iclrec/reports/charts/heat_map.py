"""A table of shares whose cells are the darker the larger they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Share, readable
from tf_iclrec.reports.page import scrolling

# Of the color in the darkest cell: text on it can still be read, light or dark.
_DARKEST = 45


def heat_map(
    caption: str,
    corner: str,
    rows: Sequence[str],
    columns: Sequence[str],
    counts: np.ndarray,
) -> Html:
    """Where what is in a row goes: each cell is a share of its row.

    Being a table, it is read out as one.

    Args:
        caption: What it shows.
        corner: What rows and columns are.
        rows: ``n`` names.
        columns: ``m`` names, short ones.
        counts: ``(n, m)`` none negative.

    Example:
    >>> table = heat_map("Moves", "from / to", ["a", "b"], ["a", "b"], np.array([[3, 1], [0, 0]]))
    >>> table.count("75.0%"), table.count("<td")
    (1, 4)
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    header = [element("th", name, scope="col", class_="number") for name in columns]
    lines = [
        element("tr", element("th", name, scope="row"), [_cell(share) for share in row])
        for name, row in zip(rows, shares.tolist(), strict=True)
    ]
    return scrolling(
        caption,
        element("thead", element("tr", element("th", corner, scope="col"), header)),
        element("tbody", lines),
    )


def _cell(share: float) -> Html:
    color = f"background: color-mix(in srgb, var(--c0) {_DARKEST * share:.0f}%, transparent)"
    return element("td", readable(Share(share)) if share else "", class_="number", style=color)
