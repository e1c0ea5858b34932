"""What models were trained on."""

from __future__ import annotations

from collections.abc import Sequence

from tf_iclrec.reports.charts.bar_chart import bar_chart
from tf_iclrec.reports.figures.histogram import integer_histogram
from tf_iclrec.reports.markup import element
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.systems.registry import SYSTEMS


def data_section(reported: ReportedRun) -> Section:
    """The model in words, the log and its split."""
    split, system = reported.run.split, SYSTEMS[reported.run.config.model]
    lengths = integer_histogram(split.test.histories.lengths)
    return section(
        "Model and data",
        element(
            "p",
            f"{system.name}: {system.summary} ({system.paper}). {split.summary()}.",
        ),
        table("The log", (), data_facts(reported).items()),
        bar_chart("Test targets by length of history", *lengths, "interactions", "targets"),
    )


def models_section(runs: Sequence[ReportedRun]) -> Section:
    """Models and logs side by side."""
    facts = [
        {
            "model": one.run.config.model,
            "trained on": str(one.trained),
            "split": one.run.split.how,
            **data_facts(one),
        }
        for one in runs
    ]
    names = dict.fromkeys(name for one in facts for name in one)
    rows = [(name, *(one.get(name, "") for one in facts)) for name in names]
    header = ("", *(one.name for one in runs))
    return section("Models and data", table("The runs", header, rows), wide=True)


def data_facts(reported: ReportedRun) -> dict[str, object]:
    """Numbers and days of a log."""
    split, log = reported.run.split, reported.run.interactions
    facts = {
        "source": reported.source,
        "users": log.num_users,
        "items": log.num_items,
        "interactions": log.num_actions,
        "test targets": len(split.test.users),
    }
    if log.providers is not None:
        facts["providers"] = len(log.providers.vocabulary)
    if log.attributes:
        facts["attributes"] = ", ".join(log.attributes)
    if reported.days:
        facts["first day"], facts["last day"] = map(str, reported.days)
    return facts
