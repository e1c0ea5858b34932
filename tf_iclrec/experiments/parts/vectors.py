"""How the vectors of users lie by what they have: ICLRec's Fig. 7, with figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_iclrec.analysis.vectors.structure import structures
from tf_iclrec.analysis.vectors.tsne import tsne_map
from tf_iclrec.analysis.vectors.user_vectors import user_vectors
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.experiments.results import Outcome, Results
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import Figure, Share
from tf_iclrec.reports.vector_map import HOW_TO_READ, KINDS, vector_map
from tf_iclrec.runs import Run

_NAME = "vectors"
_MAP_VALUES = 2  # On a map are users of the most frequent ones.


def vectors_measurement(column: str = "categories", map_users: int = 100) -> Measurement:
    """How vectors lie by what most items of the user's history have, and where some stand on a map.

    Args:
        column: Of the data set's table of items; of a path the last part counts.
        map_users: So many users at most are on the map, always the same ones.
    """
    settings = {"column": column, "map_values": _MAP_VALUES, "map_users": map_users}
    return Measurement(_NAME, _lie, settings, items=True)


def _lie(run: Run, items: str, column: str, map_values: int, map_users: int) -> dict[str, Any]:
    found = user_vectors(run.with_item_labels(items, item_labels=(column,)), column)
    most = np.argsort(-np.bincount(found.values), kind="stable")[:map_values]
    on_map = found.having(found.names[most].tolist(), map_users)
    return {
        "structures": {kind: dataclasses.asdict(one) for kind, one in structures(found).items()},
        "values": on_map.values.tolist(),
        "names": {str(value): str(found.names[value]) for value in most.tolist()},
        "places": {
            kind: np.round(tsne_map(getattr(on_map, kind)).astype(float), 3).tolist()
            for kind in KINDS
        },
    }


def vectors(results: Results) -> list[Part]:
    """For each data set silhouettes and purities, means over seeds, and maps of the first seed."""
    return [_of_dataset(results, one.name) for one in results.datasets]


def _of_dataset(results: Results, dataset: str) -> Part:
    found = {
        row.label: outcomes
        for row in results.experiment.rows
        if (outcomes := results.outcomes(dataset, row))
    }
    rows = [_figures(label, kind, of_row) for label, of_row in found.items() for kind in KINDS]
    header = ("", "users", "values", "silhouette", "same among 10 neighbours", "by chance")
    maps = [
        _map(f"{dataset}, {label}", kind, of_row[0].measured[_NAME])
        for label, of_row in found.items()
        for kind in KINDS
    ]
    return Part(
        f"{dataset}: vectors of users",
        [
            f"By the category that most items of a user's history have. {HOW_TO_READ}",
            Table(f"{dataset}: how vectors lie", header, rows),
            *maps,
        ],
    )


def _figures(label: str, kind: str, outcomes: Sequence[Outcome]) -> tuple[object, ...]:
    of_seeds = [one.measured[_NAME]["structures"][kind] for one in outcomes]
    mean = {name: float(np.mean([one[name] for one in of_seeds])) for name in of_seeds[0]}
    return (
        f"{label}, {KINDS[kind]}",
        round(mean["users"]),
        round(mean["values"]),
        Figure(f"{mean['silhouette']:.3f}"),
        Share(mean["purity"]),
        Share(mean["chance"]),
    )


def _map(name: str, kind: str, measured: dict[str, Any]) -> Html:
    places, values = np.array(measured["places"][kind]), np.array(measured["values"])
    names = {int(value): text for value, text in measured["names"].items()}
    caption = f"{name}: categories, {KINDS[kind]}"
    return vector_map(name, kind, places, values, names, caption, by="category")
