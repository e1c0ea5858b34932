"""For whom models are right, and for whom less."""

from collections.abc import Mapping, Sequence

from tf_iclrec.evaluation.groups import GROUPINGS
from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.reports.charts.bar_chart import bar_chart
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import Score
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

_BESIDE = ("HR@20", "MRR@20")


def groups_section(runs: Sequence[ReportedRun]) -> Section | None:
    """Metrics of groups of users: of a run with a chart for each grouping, of several side by
    side."""
    found = [one.run.metrics.get("groups", {}) for one in runs]
    parts = []
    for name_of_grouping, grouping in GROUPINGS.items():
        what, title = grouping.by, f"By {grouping.by}"
        groups = [one.get(name_of_grouping, {}) for one in found]
        names = dict.fromkeys(name for one in groups for name in one)
        if len(names) < 2:  # Everybody: nothing to tell apart.
            continue
        if len(runs) == 1:
            parts.append(_chart(title, what, groups[0]))
            continue
        header = (what, *(one.name for one in runs))
        rows = [
            (name, *(Score(one[name][MAIN_METRIC]) if name in one else "" for one in groups))
            for name in names
        ]
        parts.append(table(f"{MAIN_METRIC} {title[0].lower()}{title[1:]}", header, rows))
    return section("Groups of users", parts) if parts else None


def _chart(title: str, what: str, groups: Mapping[str, Mapping[str, float]]) -> Html:
    shown = (MAIN_METRIC, *_BESIDE)
    rows = [
        (name, one["users"], *(Score(one[metric]) for metric in shown))
        for name, one in groups.items()
    ]
    figures = table(title, (what, "users", *shown), rows)
    values = [Score(one[MAIN_METRIC]) for one in groups.values()]
    return bar_chart(title, list(groups), values, what, MAIN_METRIC, figures)
