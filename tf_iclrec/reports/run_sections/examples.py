"""Some users, what they did, and what is recommended to them."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import HeldOut, Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.evaluation.report import held_out_ranks
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.serving.batch_recommender import BatchRecommender

_USERS = 10
_SHOWN = 8  # Items of a history.
_RECOMMENDED = 5
_OPEN = 3  # The others are folded.


def examples_section(reported: ReportedRun) -> Section | None:
    """Ten users of the test, from the shortest history to the longest, each with what came before
    the test, what is recommended, and what the user took next."""
    few = _a_few(reported.run.split)
    if not len(few.test.users):
        return None
    ranks = held_out_ranks(reported.run.model, few, "test", **reported.run.config.evaluation)
    histories = few.test.histories.joined()
    recommended = _recommended(reported, few.test.users, histories)
    items = ShownItems(few.interactions)
    cards = []
    for number, user in enumerate(few.interactions.users[few.test.users].tolist()):
        ids = histories.item_ids[histories.starts[number] : histories.ends[number]]
        target = int(few.test.target_ids[number])
        taken = f"took {items.name(target)} next, rank {ranks[number]:,} of {len(items.items):,}"
        cards.append(
            element(
                "details",
                element("summary", element("h3", f"User {user}"), f": {len(ids):,} items; {taken}"),
                element(
                    "div",
                    _history(items, ids),
                    _table(items, recommended[number], target),
                    class_="beside",
                ),
                open="" if number < _OPEN else None,
                class_="card",
            )
        )
    beside = " Beside each item stands its provider." if few.interactions.providers else ""
    return section(
        "Examples",
        element(
            "p",
            f"{len(cards)} users of the test, chosen by nothing but the length of their histories, "
            f"from the shortest to the longest.{beside}",
        ),
        cards,
        wide=True,
    )


def _a_few(split: Split) -> Split:
    """A split with nothing to test but some users."""
    test = split.test
    by_length = np.argsort(test.histories.lengths, kind="stable")
    places = np.linspace(0, len(by_length) - 1, min(_USERS, len(by_length))).astype(np.int64)
    rows = by_length[places]
    few = HeldOut(test.users[rows], test.histories.rows(rows), test.target_ids[rows])
    return dataclasses.replace(split, test=few)


class ShownItems:
    """What to call items of a log.

    Args:
        log: With titles, where they are known.
    """

    def __init__(self, log: Interactions):
        titles, ids, providers = log.titles, log.items.ids, log.providers
        self.items = log.items
        self.names = ids if titles is None else np.where(titles == "", ids, titles)
        self.providers = np.full(len(ids), "", dtype=object)
        if providers is not None:
            of_items = providers.of_items[NUM_SPECIAL_IDS:]
            known = of_items >= NUM_SPECIAL_IDS
            self.providers[known] = providers.vocabulary.decode(of_items[known])

    def name(self, item_id: int) -> str:
        """The title of an item, by its internal id; the raw id where it has none."""
        return str(self.names[item_id - NUM_SPECIAL_IDS])

    def shown(self, item_id: int) -> Html:
        """Its name and its provider."""
        provider = self.providers[item_id - NUM_SPECIAL_IDS]
        beside = element("small", f" {provider}") if provider else None
        return element("span", self.name(item_id), beside)


def _recommended(reported: ReportedRun, users: np.ndarray, histories: Histories) -> list[list]:
    """For each history the rows of what is recommended, as dicts."""
    split = reported.run.split
    recommender = BatchRecommender(reported.run.model, split)
    names = [str(number) for number in range(len(users))]
    trained = split.trained_rows(users) if "users" in reported.run.model.reads else None
    k = min(_RECOMMENDED, split.interactions.num_items)
    nothing = recommender.encode_items((), len(users), "ignore")
    seen = reported.run.config.evaluation.filter_seen
    found = recommender.recommend(
        names, histories, k, seen, nothing, recommender.search(), trained
    ).to_pylist()
    return [[row for row in found if row["user_id"] == name] for name in names]


def _history(items: ShownItems, ids: np.ndarray) -> Html:
    earlier = max(len(ids) - _SHOWN, 0)
    shown = [element("li", items.shown(item)) for item in ids[earlier:].tolist()]
    return element(
        "div",
        element("b", "History"),
        element("small", f" after {earlier:,} earlier items") if earlier else None,
        element("ol", shown, start=earlier + 1),
    )


def _table(items: ShownItems, recommended: list[dict], target: int) -> Html:
    ids = items.items.encode([row["item_id"] for row in recommended]).tolist()
    rows = [
        (
            row["rank"],
            element("span", items.shown(item), element("b", " taken"))
            if item == target
            else items.shown(item),
        )
        for row, item in zip(recommended, ids, strict=True)
    ]
    return table("Recommended", ("", "item"), rows)
