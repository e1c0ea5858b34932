"""A page about a run's intents."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from tf_iclrec.analysis.intents.comparison import Change
from tf_iclrec.analysis.intents.intent_report import IntentReport
from tf_iclrec.analysis.intents.typical import TypicalValue
from tf_iclrec.reports.charts.frame import NUM_COLORS, swatch
from tf_iclrec.reports.charts.heat_map import heat_map
from tf_iclrec.reports.charts.scatter_chart import scatter_chart
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Share, readable
from tf_iclrec.reports.page import facts, page, section, table, write_page

_MOST_MOVES = 12
_SHOWN = 5


def write_intent_page(report: IntentReport, path: str | Path, run: str = "") -> None:
    """Write a page about a run's intents: one HTML file that needs nothing else.

    Args:
        report: What there is to say.
        path: Of the file; one that is there is replaced.
        run: How to name the run.

    Raises:
        UserError: If it can't be written.
    """
    sizes = sorted(one.users for one in report.intents)
    content = page(
        "Intents",
        facts(
            {
                "users": report.users.num_rows,
                "intents": len(report.intents),
                "users of the median intent": sizes[len(sizes) // 2],
                "keep theirs over the last quarter": Share(report.moves.stay[-1]),
            }
        ),
        sections_of_intents(report),
        subtitle=run,
    )
    write_page(content, path)


def sections_of_intents(report: IntentReport) -> list[Html]:
    """What a page says of intents, largest first: what they are, how users move, what changed."""
    parts = [_intents(report), _moves(report)]
    return [*parts, _comparison(report)] if report.comparison else parts


def _intents(report: IntentReport) -> Html:
    names = [one.name for one in report.intents]
    rows = [
        (
            one.name,
            one.id,
            one.users,
            Share(one.share),
            _in_words(one.values),
            _in_words(one.items),
            ", ".join(names[other.id] for other in one.neighbours),
            ", ".join(one.examples),
        )
        for one in report.by_size
        if one.users
    ]
    header = ("intent", "number", "users", "share", "typical values", "typical items")
    header += ("nearest intents", "example users")
    return section(
        "Intents",
        _map(report),
        table("Intents, by number of users", header, rows),
        element(
            "p",
            "Typical is what more users of an intent have than chance explains (hypergeometric "
            "test of the users, adjusted after Benjamini and Hochberg); of a value a user must "
            "have more than users do on average. 3x means three times the share "
            "among all users. The order is that of the lower end of the 95% interval.",
        ),
        wide=True,
    )


def _map(report: IntentReport) -> Html:
    """Users in the plane, those of the largest intents in colors."""
    largest = report.by_size[:NUM_COLORS]
    rows = [
        (element("span", swatch(index), one.name), one.id, one.users, Share(one.share))
        for index, one in enumerate(largest)
    ]
    others = len(report.intents) - len(largest)
    caption = f"Intents in colors; {others} others are grey" if others else "Intents"
    return scatter_chart(
        f"Map of {readable(len(report.map))} users by their intents",
        report.map,
        report.map_intents,
        {one.id: str(one.id) for one in largest},
        table(caption, ("intent", "number", "users", "share"), rows),
    )


def _in_words(values: list[TypicalValue]) -> str:
    return ", ".join(f"{one.title} {one.lift:.2g}x" for one in values[:_SHOWN])


def _moves(report: IntentReport) -> Html:
    moves, names = report.moves, [one.name for one in report.intents]
    steps = [
        (f"{before:.0%} to {after:.0%}", Share(stay), Share(chance))
        for before, after, stay, chance in moves.steps
    ]
    last = moves.counts[-1].copy()
    leaving = last.sum(axis=1)
    last[range(len(last)), range(len(last))] = 0
    order = (-last).ravel().argsort(kind="stable")[:_MOST_MOVES]
    rows = [
        (
            names[before],
            names[after],
            int(last[before, after]),
            Share(last[before, after] / leaving[before]),
        )
        for before, after in zip(*(part.tolist() for part in divmod(order, len(last))), strict=True)
        if last[before, after]
    ]
    tables = (
        table(
            f"Intents of {readable(moves.num_users)} users by the first parts of their histories",
            ("part of the history", "keep their intent", "would by chance"),
            steps,
        ),
        table(
            f"Most frequent moves, from {moves.parts[-2]:.0%} of a history to all of it",
            ("from", "to", "users", "share of those before"),
            rows,
        ),
    )
    in_columns = element("div", tables, class_="columns")
    return section("Moves between intents", _heat_map(report), in_columns, wide=True)


def _heat_map(report: IntentReport) -> Html:
    """Moves of the last step between the largest intents, and all others as one."""
    ordered = report.by_size
    group_of = np.full(len(ordered), min(_MOST_MOVES, len(ordered)))
    for place, one in enumerate(ordered[:_MOST_MOVES]):
        group_of[one.id] = place
    size = int(group_of.max()) + 1
    counts = np.zeros((size, size), dtype=np.int64)
    before, after = np.indices(report.moves.counts[-1].shape)
    np.add.at(counts, (group_of[before], group_of[after]), report.moves.counts[-1])
    rows = [f"{one.id}: {one.name}" for one in ordered[:_MOST_MOVES]]
    columns = [str(one.id) for one in ordered[:_MOST_MOVES]]
    if size > len(rows):
        rows.append("others")
        columns.append("others")
    first = report.moves.parts[-2]
    return heat_map(
        f"From {first:.0%} of a history to all of it: where the users of an intent go",
        "from / to",
        rows,
        columns,
        counts,
    )


def _comparison(report: IntentReport) -> Html:
    comparison = report.comparison
    names = report.names_before, [one.name for one in report.intents]

    def row(change: Change) -> tuple[object, ...]:
        before, after = (
            ", ".join(known[number] for number in some)
            for known, some in zip(names, (change.before, change.after), strict=True)
        )
        overlap = Share(change.overlap) if change.before and change.after else ""
        return before or after, change.fate, after if before else "", change.users, overlap

    fates = Counter(one.fate for one in comparison.changes)
    return section(
        "Earlier intents",
        table(
            f"By {readable(comparison.num_users)} users in common",
            (),
            [
                *fates.items(),
                ("agreement (adjusted Rand index; 0: chance, 1: the same)", comparison.agreement),
            ],
        ),
        table(
            "Intents of the earlier run and of this one",
            ("earlier", "what happened", "now", "users", "overlap"),
            map(row, comparison.changes),
        ),
    )
