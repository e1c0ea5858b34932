"""A page about how the vectors of users lie."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tf_iclrec.analysis.vectors.structure import Structure
from tf_iclrec.reports.charts.frame import NUM_COLORS
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Share, readable
from tf_iclrec.reports.page import page, section, table, write_page
from tf_iclrec.reports.vector_map import HOW_TO_READ, KINDS, vector_map


@dataclasses.dataclass(frozen=True)
class MappedVectors:
    """Users on maps.

    Attributes:
        values: ``(n,)`` int number of each user's main value in ``names``.
        names: ``(values,)`` what the values are called.
        places: By kind of vector ``(n, 2)``.
    """

    values: np.ndarray
    names: np.ndarray
    places: Mapping[str, np.ndarray]


def write_vector_page(
    path: str | Path,
    by: str,
    neighbours: int,
    found: Mapping[str, Mapping[str, Structure]],
    mapped: Mapping[str, MappedVectors],
) -> None:
    """Write a page about the vectors of one run's users, or of several: one HTML file.

    Args:
        path: Of the file; one that is there is replaced.
        by: What the values are of.
        neighbours: How many the purity looks at.
        found: By run, of `tf_iclrec.analysis.vectors.structure.structures`.
        mapped: By run.

    Raises:
        UserError: If it can't be written.
    """
    rows = [
        (
            f"{name}, {KINDS[kind]}",
            one.users,
            one.values,
            one.silhouette,
            Share(one.purity),
            Share(one.chance),
        )
        for name, of_run in found.items()
        for kind, one in of_run.items()
    ]
    header = ("vectors", "users", f"values of {by}", "silhouette")
    header += (f"same among {readable(neighbours)} neighbours", "by chance")
    document = page(
        "Vectors of users",
        section(
            "Figures",
            table(f"How vectors lie by the {by} that most items of the history have", header, rows),
            element("p", HOW_TO_READ),
            wide=True,
        ),
        [
            section(name, [_map(name, kind, of_run) for kind in of_run.places], wide=True)
            for name, of_run in mapped.items()
        ],
    )
    write_page(document, path)


def _map(run: str, kind: str, mapped: MappedVectors) -> Html:
    """Those of the most frequent values in colors."""
    counts = np.bincount(mapped.values, minlength=len(mapped.names))
    largest = [one for one in np.argsort(-counts, kind="stable")[:NUM_COLORS] if counts[one]]
    others = int((counts > 0).sum()) - len(largest)
    caption = f"Values in colors; {others} others are grey" if others else "Values"
    names = {int(one): str(mapped.names[one]) for one in largest}
    return vector_map(run, kind, mapped.places[kind], mapped.values, names, caption)
