"""Some users, what they did, and what is recommended to them."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import TITLE
from tf_iclrec.data.splits.split import HeldOut, Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID
from tf_iclrec.evaluation.held_out import held_out_answers
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.serving.explainer import Explainer, Reasons
from tf_iclrec.serving.ranker import NO_INTENT, Ranker

_USERS = 10
_SHOWN = 8  # Items of a history.
_RECOMMENDED = 5
_REASONS = 3
_OPEN = 3  # The others are folded.


def examples_section(reported: ReportedRun) -> Section | None:
    """Ten users of the test, from the shortest history to the longest, each with what came before
    the test, what is recommended and why, and what the user took next."""
    model, few = reported.run.model, _a_few(reported.run.split)
    if not len(few.test.users):
        return None
    k = min(_RECOMMENDED, few.interactions.num_items)
    # Of these users none is left out, however few are evaluated.
    filter_seen = reported.run.config.evaluation["filter_seen"]
    ranks, recommended = held_out_answers(model, few, "test", k, filter_seen)
    histories = few.test.histories.joined()
    known = tf.RaggedTensor.from_row_lengths(histories.item_ids.astype(np.int32), histories.lengths)
    explain = Explainer(Ranker(model, few), few.catalogue)
    found = explain(known, few.trained_rows(few.test.users), recommended, _REASONS)
    reasons = [part.numpy() for part in found]
    items = ShownItems(few.interactions)
    cards = []
    for number, user in enumerate(few.interactions.users[few.test.users].tolist()):
        ids = histories.item_ids[histories.starts[number] : histories.ends[number]]
        target = int(few.test.target_ids[number])
        taken = f"took {items.name(target)} next, rank {ranks[number]:,} of {len(items.ids):,}"
        why = [part[number] for part in reasons]
        lists = _recommended(items, recommended[number], Reasons(*why), target)
        cards.append(
            element(
                "details",
                element("summary", element("h3", f"User {user}"), f": {len(ids):,} items; {taken}"),
                element("div", _history(items, ids), lists, class_="beside"),
                open="" if number < _OPEN else None,
                class_="card",
            )
        )
    beside = " Beside an item stands its provider." if few.interactions.providers else ""
    return section(
        "Examples",
        element(
            "p",
            f"{len(cards)} users of the test, chosen by nothing but the length of their histories, "
            f"from the shortest to the longest.{beside} An item is recommended because of those "
            "items of the history without which its score would fall, the strongest first; the "
            "intent or the provider that the two have in common is named.",
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
    """How to call items of a log, by internal ids.

    Args:
        log: With titles, where they are known.
    """

    def __init__(self, log: Interactions):
        self.ids = log.items.ids
        self.titles = log.labels.get(TITLE)
        self.providers = log.providers

    def name(self, item_id: int) -> str:
        """The title of an item, or the raw id where it has none."""
        title = self.titles.value_of(item_id) if self.titles else ""
        return title or str(self.ids[item_id - NUM_SPECIAL_IDS])

    def provider(self, item_id: int) -> str:
        """Its provider, `""` if it is not known."""
        return self.providers.value_of(item_id) if self.providers else ""

    def shown(self, item_id: int, beside: str | None = None) -> Html:
        """Its name, and beside it something small: the provider, if nothing else is given."""
        beside = self.provider(item_id) if beside is None else beside
        small = element("small", f" {beside}") if beside else None
        return element("span", self.name(item_id), small)


def _history(items: ShownItems, ids: np.ndarray) -> Html:
    earlier = max(len(ids) - _SHOWN, 0)
    shown = [element("li", items.shown(item)) for item in ids[earlier:].tolist()]
    return element(
        "div",
        element("b", "History"),
        element("small", f" after {earlier:,} earlier items") if earlier else None,
        element("ol", shown, start=earlier + 1),
    )


def _recommended(items: ShownItems, ids: np.ndarray, why: Reasons, target: int) -> Html:
    rows = []
    for rank, item in enumerate(ids[ids != PADDING_ID].tolist()):
        taken = element("b", " ✓ taken") if item == target else None
        because = [
            element("li", items.shown(reason, _in_common(items, reason, intent, provider)))
            for reason, intent, provider in zip(
                *(part[rank].tolist() for part in (why.item_ids, why.intents, why.providers)),
                strict=True,
            )
            if reason != PADDING_ID
        ]
        rows.append(
            (
                rank + 1,
                element("span", items.shown(item), taken),
                element("ul", because, class_="plain") if because else "",
            )
        )
    return table("Recommended", ("", "item", "because of"), rows)


def _in_common(items: ShownItems, reason: int, intent: int, provider: int) -> str:
    """What connects a reason with what it speaks for."""
    found = [f"intent {intent}"] if intent != NO_INTENT else []
    if provider != UNKNOWN_ID:
        found.append(f"provider {items.provider(reason)}")
    return ", ".join(found)
