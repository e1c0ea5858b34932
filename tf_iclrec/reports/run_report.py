"""A page about a run, or about several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import Score
from tf_iclrec.reports.page import facts, page, write_page
from tf_iclrec.reports.run_sections.data import data_section, models_section
from tf_iclrec.reports.run_sections.examples import examples_section
from tf_iclrec.reports.run_sections.groups import groups_section
from tf_iclrec.reports.run_sections.intents import intents_sections
from tf_iclrec.reports.run_sections.lists import lists_section
from tf_iclrec.reports.run_sections.metrics import metrics_section
from tf_iclrec.reports.run_sections.model_card import model_card_section
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.reports.run_sections.settings import different_settings_section, settings_section
from tf_iclrec.reports.run_sections.training import training_section, trainings_section


def write_run_report(
    runs: Sequence[ReportedRun], path: str | Path, baseline: ReportedRun | None = None
) -> None:
    """Write a page about one run, or about several side by side: one HTML file that needs nothing
    else.

    Args:
        runs: At least one.
        path: Of the file; one that is there is replaced.
        baseline: A run that each of them is tested against, user by user. Of several runs the
            first one, if none is named.

    Raises:
        UserError: If the file can't be written.

    Example:
    >>> directory = RunDirectory(Path("runs/mine"))  # doctest: +SKIP
    >>> reported = ReportedRun.of(load_run(directory.path), directory)  # doctest: +SKIP
    >>> write_run_report([reported], directory.report)  # doctest: +SKIP
    """
    written = _of_several(runs, baseline or runs[0]) if len(runs) > 1 else _of_one(*runs, baseline)
    write_page(written, path)


def _of_one(reported: ReportedRun, baseline: ReportedRun | None) -> str:
    only = [reported]
    return page(
        f"Run {reported.name}",
        _most_important(reported),
        metrics_section(only, baseline),
        intents_sections(reported, baseline),
        groups_section(only),
        lists_section(only),
        examples_section(reported),
        training_section(reported),
        data_section(reported),
        settings_section(reported),
        model_card_section(reported),
        subtitle=f"{reported.run.config.model} on {reported.source}, trained on {reported.trained}",
    )


def _of_several(runs: Sequence[ReportedRun], baseline: ReportedRun) -> str:
    return page(
        "Runs side by side",
        metrics_section(runs, baseline),
        groups_section(runs),
        lists_section(runs),
        trainings_section(runs),
        different_settings_section(runs),
        models_section(runs),
        subtitle=", ".join(one.name for one in runs),
    )


def _most_important(reported: ReportedRun) -> Html:
    metrics, log = reported.run.metrics["test"], reported.run.interactions
    shown = {f"test {name}": Score(metrics[name]) for name in (MAIN_METRIC, "HR@20")}
    sizes = {"users": log.num_users, "items": log.num_items, "interactions": log.num_actions}
    if reported.history:
        sizes["best epoch"] = f"{reported.best_epoch} of {len(reported.epochs)}"
    return facts(shown | sizes)
