"""What an experiment leaves to read: a page, the same as Markdown, and every figure as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

from tf_iclrec.experiments.results import Results
from tf_iclrec.files import replace_file
from tf_iclrec.reports.page import page, write_page


def write_results(results: Results) -> dict[str, Path]:
    """Write all three, in place of earlier ones.

    Returns:
        The files, by what they are.
    """
    experiment, folder = results.experiment, results.folder
    parts = [part for show in experiment.parts for part in show(results)]
    written = {
        "Page": folder / f"{experiment.name}.html",
        "Markdown": folder / f"{experiment.name}.md",
        "Figures": folder / f"{experiment.name}.csv",
    }
    write_page(page(experiment.title, [part.html() for part in parts]), written["Page"])
    with replace_file(written["Markdown"]) as path:
        text = "\n\n".join([f"# {experiment.title}", *(part.markdown() for part in parts)])
        path.write_text(text + "\n", encoding="utf-8")
    with replace_file(written["Figures"]) as path, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("dataset", "model", "seed", "metric", "value"))
        for dataset in experiment.datasets:
            for row in experiment.rows:
                for one in results.outcomes(dataset.name, row):
                    for metric, value in one.metrics.items():
                        writer.writerow((dataset.name, row.label, one.trial.seed, metric, value))
    return written
