"""What an experiment took."""

from __future__ import annotations

from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.experiments.results import Results
from tf_iclrec.reports.numbers import Figure


def costs(results: Results) -> list[Part]:
    """Seeds, best epochs and minutes of each row."""
    rows = []
    for dataset in results.experiment.datasets:
        for row in results.experiment.rows:
            found = results.outcomes(dataset.name, row)
            if found:
                seeds = [one.trial.seed for one in found if one.trial.seed is not None]
                epochs = [one.best_epoch for one in found if one.best_epoch is not None]
                minutes = sum(one.seconds for one in found) / 60
                rows.append(
                    (
                        f"{dataset.name}: {row.label}",
                        Figure(", ".join(map(str, seeds))),
                        Figure(", ".join(map(str, epochs))),
                        Figure(f"{minutes:.1f}"),
                    )
                )
    header = ("", "seeds", "best epochs", "minutes of training")
    return [Part("What it took", [Table("Trainings", header, rows)])]
