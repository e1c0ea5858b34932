"""How trainings went, epoch by epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tf_iclrec.evaluation.metrics import DEFAULT_CUTOFFS, MAIN_METRIC
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.markup import element
from tf_iclrec.reports.numbers import Score
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

# Columns of the history: metrics on validation data, and what the E-step did for some K.
_VALIDATED = "val_"
_E_STEP = re.compile(r"intent_(seconds|(inertia|empty|moved)_(\d+))")
_DRAWN = ("NDCG", "HR")
_OF_E_STEP = {
    "moved": "E-step: share of users who changed their intent",
    "inertia": "E-step: inertia of the clusters",
}
_COMPARED = (f"{_VALIDATED}{MAIN_METRIC}", "val_HR@20", "loss")


def training_section(reported: ReportedRun) -> Section | None:
    """Learning curves of a run: the losses, the validation, and what the E-step did."""
    history = reported.history
    if not history:
        return None
    lines = _losses(history)
    for metric in _DRAWN:
        names = [f"{_VALIDATED}{metric}@{k}" for k in DEFAULT_CUTOFFS]
        lines[f"Validation: {metric}"] = [name for name in names if name in history]
    for name in history:
        found = _E_STEP.fullmatch(name)
        if found and found[2] in _OF_E_STEP:
            lines.setdefault(_OF_E_STEP[found[2]], []).append(name)
    charts = []
    for title, names in lines.items():
        drawn = {_words(name): (reported.epochs, history[name]) for name in names}
        if drawn:
            charts.append(line_chart(title, drawn, "epoch", ""))
    rows = zip(*(_cells(name, values) for name, values in history.items()), strict=True)
    every = table("Figures of every epoch", [_words(name) for name in history], rows)
    return section(
        "Training",
        element("p", _in_words(reported)),
        charts,
        element("details", element("summary", "All figures of every epoch"), every),
    )


def trainings_section(runs: Sequence[ReportedRun]) -> Section | None:
    """Learning curves of several runs over each other."""
    runs = [one for one in runs if one.history]
    names = dict.fromkeys(name for one in runs for name in _COMPARED if name in one.history)
    charts = [
        line_chart(
            f"{'Validation' if name.startswith(_VALIDATED) else 'Training'}: {_words(name)}",
            {one.name: (one.epochs, one.history[name]) for one in runs if name in one.history},
            "epoch",
            "",
        )
        for name in names
    ]
    rows = [(one.name, len(one.epochs), one.best_epoch, _seconds(one)) for one in runs]
    header = ("run", "epochs", "best epoch", "seconds")
    return section("Training", charts, table("Epochs", header, rows)) if runs else None


def _in_words(reported: ReportedRun) -> str:
    epochs, best = len(reported.epochs), reported.best_epoch
    if f"{_VALIDATED}{MAIN_METRIC}" not in reported.history:
        return f"{epochs} epochs in {_seconds(reported):,} seconds; nothing was validated."
    return (
        f"{epochs} epochs in {_seconds(reported):,} seconds. Epoch {best} had the best validation "
        f"{MAIN_METRIC}: all figures on this page are of the model as it was then."
    )


def _seconds(reported: ReportedRun) -> int:
    return round(float(np.nansum(reported.history["seconds"])))


def _losses(history: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """A chart for the loss, and one for each of its terms if there are several: they differ too
    much in size for one axis."""
    others = {"epoch", "seconds", "loss"}
    terms = [
        name
        for name in history
        if name not in others and not name.startswith(_VALIDATED) and not _E_STEP.fullmatch(name)
    ]
    names = ["loss", *(terms if len(terms) > 1 else [])]
    return {f"Training: {_words(name)}": [name] for name in names}


def _words(name: str) -> str:
    """A column of the history as people call it.

    Example:
    >>> [_words(name) for name in ("next_item", "val_NDCG@20", "intent_moved_32")]
    ['next item', 'NDCG@20', 'moved, K=32']
    """
    if (found := _E_STEP.fullmatch(name)) and found[2]:
        return f"{found[2]}, K={found[3]}"
    return name.removeprefix(_VALIDATED).replace("_", " ")


def _cells(name: str, values: np.ndarray) -> list[object]:
    kind = int if name == "epoch" else Score if name.startswith(_VALIDATED) else float
    return ["" if np.isnan(value) else kind(value) for value in values.tolist()]
