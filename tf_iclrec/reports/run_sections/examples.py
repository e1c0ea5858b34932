"""Some users, what they did, and what is recommended to them."""

from __future__ import annotations

import numpy as np

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.serving.batch_recommender import BatchRecommender

_USERS = 10
_SHOWN = 8  # Items of a history.
_RECOMMENDED = 5


def examples_section(reported: ReportedRun) -> Section | None:
    """Ten users of the test, from the shortest history to the longest, each with what came before
    the test, what is recommended, and what the user took next."""
    split, ranks = reported.run.split, reported.test_ranks
    rows = sampled_rows(len(split.test.users), len(ranks))
    if not len(rows):
        return None
    lengths = split.test.histories.lengths[rows]
    chosen = np.argsort(lengths, kind="stable")
    chosen = np.unique(chosen[np.linspace(0, len(rows) - 1, _USERS).astype(int)])
    chosen = chosen[np.argsort(lengths[chosen], kind="stable")]
    histories = split.test.histories.rows(rows[chosen]).joined()
    users = split.test.users[rows[chosen]]
    recommended = _recommended(reported, users, histories)
    items = ShownItems(split.interactions)
    cards = []
    for number, row in enumerate(chosen):
        ids = histories.item_ids[histories.starts[number] : histories.ends[number]]
        target = int(split.test.target_ids[rows[row]])
        cards.append(
            _card(
                str(split.interactions.users[users[number]]),
                [items.shown(item) for item in ids[-_SHOWN:].tolist()],
                len(ids),
                _table(items, recommended[number], target),
                _taken(items, target, int(ranks[row])),
            )
        )
    return section(
        "Examples",
        element(
            "p",
            f"{len(cards)} users of the test, chosen by nothing but the length of their histories, "
            "from the shortest to the longest; what they did before the test, what is recommended "
            "to them, and what they took next.",
        ),
        cards,
    )


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

    def shown(self, item_id: int) -> Html:
        """An item by its internal id: its title, or its id without one, and its provider."""
        row = item_id - NUM_SPECIAL_IDS
        provider = self.providers[row]
        return element(
            "span", str(self.names[row]), element("small", f" {provider}") if provider else None
        )


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


def _card(user: str, history: list[Html], length: int, recommended: Html, after: Html) -> Html:
    earlier = length - len(history)
    return element(
        "article",
        element("h3", f"User {user}"),
        element("h4", f"History, {length:,} interactions"),
        element("p", f"… {earlier:,} earlier, then", class_="muted") if earlier else None,
        element("ol", [element("li", item) for item in history], start=earlier + 1),
        recommended,
        after,
        class_="card",
    )


def _table(items: ShownItems, recommended: list[dict], target: int) -> Html:
    ids = items.items.encode([row["item_id"] for row in recommended]).tolist()
    rows = [
        (
            row["rank"],
            element("b", items.shown(item)) if item == target else items.shown(item),
        )
        for row, item in zip(recommended, ids, strict=True)
    ]
    return table("Recommended", ("", "item"), rows)


def _taken(items: ShownItems, target: int, rank: int) -> Html:
    place = f"rank {rank:,} of {len(items.items):,}"
    return element("p", "Taken next: ", element("b", items.shown(target)), f", {place}")
