"""A page about a log: what was read, what is in it, and what looks like a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.times import format_time
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.reports.charts.bar_chart import bar_chart
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.data_warnings import data_warnings
from tf_iclrec.reports.figures.data_figures import DataFigures
from tf_iclrec.reports.figures.histogram import integer_histogram
from tf_iclrec.reports.figures.popularity import Popularity
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import Share
from tf_iclrec.reports.page import facts, notices, page, section, table, write_page
from tf_iclrec.reports.preparation_sections import preparation_sections

_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_MOST_ROWS = 10


def write_data_report(
    log: Interactions,
    path: str | Path,
    preparation: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write a page about a log: one HTML file that needs nothing else.

    Args:
        log: Of any size: its arrays may lie on disk and are read a part at a time.
        path: Of the file; one that is there is replaced.
        preparation: How the log was read, any of: ``sources`` (names), ``columns`` (name by what
            it is), ``rows_read``, ``dropped`` (number of rows by reason), ``rounds`` (of the
            k-core, each a dict of ``users``, ``items``, ``actions``; the first is before it) and
            ``notes`` (sentences).

    Returns:
        The sentences of `data_warnings`, with which the page begins.

    Raises:
        UserError: If the file can't be written.

    Example:
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "report.html"
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam"], "bob": ["jam"]})
    >>> _ = write_data_report(log, file, {"rows_read": 4, "dropped": {"without an item": 1}})
    >>> "<dt>interactions</dt><dd>3</dd>" in file.read_text(encoding="utf-8")
    True
    """
    preparation = preparation or {}
    figures = DataFigures(log)
    warnings = data_warnings(figures)
    written = page(
        "Report of the data",
        _most_important(figures),
        notices(
            "What may be a mistake",
            warnings,
            "Nothing in this log looks like a mistake.",
        ),
        preparation_sections(preparation),
        _histories(figures),
        _items(figures),
        [part(figures) for part in (_times, _providers, _ratings, _attributes)],
        subtitle=", ".join(map(str, preparation.get("sources", ()))),
    )
    write_page(written, path)
    return warnings


def _most_important(figures: DataFigures) -> Html:
    log = figures.log
    values = {"users": log.num_users, "items": log.num_items, "interactions": log.num_actions}
    if log.providers is not None:
        values["providers"] = len(log.providers.vocabulary)
    values["density"] = Share(
        figures.repeats.users_of_items.sum() / max(log.num_users * log.num_items, 1)
    )
    if figures.times is not None:
        values["first day"], values["last day"] = _days(figures)
    return facts(values)


def _days(figures: DataFigures) -> list[str]:
    return [format_time(time).split("T")[0] for time in (figures.times.first, figures.times.last)]


def _histories(figures: DataFigures) -> Html:
    lengths = figures.log.lengths
    return section(
        "Histories",
        bar_chart(
            "Users by length of history", *integer_histogram(lengths), "interactions", "users"
        ),
        table("Interactions of a user", ("", "interactions"), _quantiles(lengths)),
    )


def _quantiles(values: np.ndarray) -> list[tuple[str, object]]:
    if not len(values):
        return []
    # Whole numbers that occur, not between two.
    found = np.quantile(values, _QUANTILES, method="inverted_cdf").tolist()
    middle = [
        ("median" if share == 0.5 else f"{share:.0%} have at most", value)
        for share, value in zip(_QUANTILES, found, strict=True)
    ]
    ends = [("least", int(values.min())), *middle, ("most", int(values.max()))]
    return [("mean", float(values.mean())), *ends]


def _items(figures: DataFigures) -> Html:
    log, popularity, repeats = figures.log, figures.popularity, figures.repeats
    number = max(log.num_actions, 1)
    best = popularity.order[:_MOST_ROWS]
    return section(
        "Items",
        _by_rank("Items by popularity", popularity, "item"),
        table(
            "Concentration and repeats",
            (),
            [
                *_concentration(popularity, "items"),
                (
                    "interactions with an item that the user had before",
                    Share(repeats.repeated / number),
                ),
                ("those with the item just before", Share(repeats.consecutive / number)),
                ("those at the very same time", Share(repeats.copies / number)),
            ],
        ),
        table(
            "Most popular items",
            ("item", "interactions", "share", "users"),
            [
                (
                    log.items.ids[item],
                    int(popularity.counts[item]),
                    Share(popularity.counts[item] / number),
                    int(repeats.users_of_items[item]),
                )
                for item in best.tolist()
            ],
        ),
    )


def _by_rank(title: str, popularity: Popularity, kind: str) -> Html:
    line = {kind: popularity.curve()}
    return line_chart(title, line, f"rank of the {kind}", "interactions", x_log=True, y_log=True)


def _concentration(popularity: Popularity, kind: str) -> Iterator[tuple[str, object]]:
    for share in (0.01, 0.1):
        yield f"share of the top {share:.0%} of {kind}", Share(popularity.share_of_top(share))
    yield "Gini index (0: all equally popular)", popularity.gini


def _times(figures: DataFigures) -> Html | None:
    times, activity = figures.times, figures.activity
    if times is None:
        return None
    rows = [
        ("first (UTC)", format_time(times.first).replace("T", " ")),
        ("last (UTC)", format_time(times.last).replace("T", " ")),
        (
            "interactions at the same time as another one of the user",
            Share(times.tied / figures.log.num_actions),
        ),
    ]
    if activity is not None and activity.not_drawn:
        rows.append(("interactions before 1900 or after 2099, not drawn", activity.not_drawn))
    return section(
        "Times",
        activity
        and bar_chart(
            f"Interactions per {activity.unit}", activity.labels, activity.counts, activity.unit
        ),
        table("Range and ties", (), rows),
    )


def _providers(figures: DataFigures) -> Html | None:
    log, providers = figures.log, figures.providers
    if providers is None:
        return None
    popularity = Popularity(providers.interactions)
    number = max(log.num_actions, 1)
    return section(
        "Providers",
        _by_rank("Providers by popularity", popularity, "provider"),
        table(
            "Coverage, concentration and loyalty",
            (),
            [
                (
                    "items whose provider is known",
                    Share(log.providers.num_known_items / max(log.num_items, 1)),
                ),
                (
                    "interactions whose provider is known",
                    Share(providers.interactions.sum() / number),
                ),
                *_concentration(popularity, "providers"),
                (
                    "of a user's interactions, with the user's most frequent provider (mean)",
                    Share(providers.loyalty),
                ),
            ],
        ),
        bar_chart(
            "Users by number of providers",
            *integer_histogram(providers.of_users),
            "providers that a user has",
            "users",
        ),
        table(
            "Largest providers",
            ("provider", "items", "interactions", "share"),
            [
                (
                    log.providers.vocabulary.ids[provider],
                    int(providers.items[provider]),
                    int(providers.interactions[provider]),
                    Share(providers.interactions[provider] / number),
                )
                for provider in popularity.order[:_MOST_ROWS].tolist()
            ],
        ),
    )


def _ratings(figures: DataFigures) -> Html | None:
    ratings = figures.ratings
    if ratings is None:
        return None
    known = Share(ratings.known / max(figures.log.num_actions, 1))
    return section(
        "Ratings",
        bar_chart("Interactions by rating", ratings.labels, ratings.counts, "rating"),
        table("Ratings", (), [("interactions with one", known), ("mean", ratings.mean)]),
    )


def _attributes(figures: DataFigures) -> Html | None:
    log = figures.log
    known = {**log.attributes, **log.labels}
    if not known:
        return None
    counts, number = figures.popularity.counts, max(log.num_actions, 1)
    rows = [
        (
            name,
            len(attribute.vocabulary),
            Share(attribute.num_known_items / max(log.num_items, 1)),
            Share(counts[attribute.of_items[NUM_SPECIAL_IDS:] != UNKNOWN_ID].sum() / number),
        )
        for name, attribute in known.items()
    ]
    header = ("attribute", "values", "items with one", "interactions with one")
    return section("Attributes of items", table("What else is known", header, rows))
