"""What the page asks of a run, answered in plain values that JSON can hold."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.explorer.intent_cards import IntentCards
from tf_iclrec.explorer.item_cards import ItemCards
from tf_iclrec.explorer.text_search import TextSearch
from tf_iclrec.recommendation import recommend, recommender_of
from tf_iclrec.runs import Run
from tf_iclrec.serving.reranking.registry import possible_rerankers

_MOST_FOUND = 20
_MOST_RECOMMENDED = 100


class Explorer:
    """Answers about a run: recommendations through `tf_iclrec.recommend`, and what explains them.

    Items are cards, as `ItemCards` makes them; intents come from `IntentCards`.

    Args:
        run: A finished run, whose model is the one to serve.
        name: How to call it. Defaults to its model's name.

    Example:
    >>> explorer = Explorer(load_run("runs/shop", for_serving=True))  # doctest: +SKIP
    >>> explorer.recommend(history=["tea"], k=1)["items"][0]["title"]  # doctest: +SKIP
    'Jam'
    """

    def __init__(self, run: Run, name: str = ""):
        self.log = run.interactions
        self.model = run.model
        self.recommender = recommender_of(run)
        self.items = ItemCards(self.log, run.split.training_counts)
        self.intents = IntentCards(run)
        self._name, self._system = name or run.config.model, run.config.model
        self._find_items = TextSearch((self.items.ids, self.items.titles), self.items.counts)
        self._find_users = TextSearch((self.recommender.users,), self.recommender.lengths)

    def warm_up(self) -> None:
        """Trace every graph, which the first requests would otherwise wait for."""
        [item] = self.find_items("")[:1]
        self.recommend(user=self.log.users[0], k=1, because=1)
        self.recommend(history=[item["id"]], k=1)
        for name in self._rerankers:
            self.recommend(history=[item["id"]], k=1, diversity=0.5, diversify=name)
        for name, attribute in self.recommender.catalogue.known_of_items.items():
            # A column may be empty.
            for value in attribute.vocabulary.ids[:1]:
                self.recommend(k=1, without={name: [value]})
        if self._has_vectors:
            self.similar(item["id"])

    def facts(self) -> dict:
        """What the run is, and what can be asked."""
        return {
            "name": self._name,
            "model": self._system,
            "items": self.log.num_items,
            "users": len(self.recommender.users),
            "intents": len(self.intents),
            "filters": list(self.recommender.catalogue.known_of_items),
            "diversify": self._rerankers,
            "has_similar": self._has_vectors,
            "seen": not self.recommender.filter_seen,
            "most": min(_MOST_RECOMMENDED, self.log.num_items),
        }

    def find_items(self, query: str) -> list[dict]:
        """Items whose id or title holds a text."""
        return self.items(self._find_items(query, _MOST_FOUND))

    def find_users(self, query: str) -> list[dict]:
        """Users whose id holds a text, with the length of their histories as ``count``."""
        users, lengths = self.recommender.users, self.recommender.lengths
        rows = self._find_users(query, _MOST_FOUND)
        return [{"id": users[row], "count": int(lengths[row])} for row in rows]

    def some_user(self) -> dict:
        """One of the users, at random."""
        return {"id": str(np.random.default_rng().choice(self.recommender.users))}

    def find_values(self, name: str, query: str) -> list[dict]:
        """Values that hold a text, of something that filters can name; ``count`` is the number of
        items that have them.

        Raises:
            UserError: If nothing is known by that name.
        """
        known = self.recommender.catalogue.known_of_items
        if name not in known:
            raise UserError(f"There is no filter by {name!r}: {nearest(name, known)}")
        values, counts, search = self._values[name]
        return [{"id": values[row], "count": int(counts[row])} for row in search(query)]

    def recommend(
        self, user: str | None = None, history: Sequence[str] = (), **asked: object
    ) -> dict:
        """Recommendations for a user of the run, or for a history.

        Args:
            user: Raw id; all interactions count, those held out as well.
            history: Raw item ids, oldest first, in place of it.
            asked: Further arguments of `tf_iclrec.recommend`.

        Returns:
            The ``history`` and the recommended ``items`` as cards, these with their ``score`` and,
            if ``because`` is asked for, reasons of that name; the ``intents`` closest to the
            history; and ``from_popularity``.

        Raises:
            UserError: As `tf_iclrec.recommend`, also for unknown ids.
        """
        if user is not None and len(history):
            raise UserError("Ask for a user or for a history, not for both.")
        whose = {"histories": [list(history)]} if user is None else {"user_ids": [user]}
        found = recommend(self.recommender, **whose, **asked, on_unknown="raise")
        known = self._history_of(user, history)
        items = self.items(self.items.rows_of(found["item_id"]))
        for item, score in zip(items, found["score"].tolist(), strict=True):
            item["score"] = score
        if "because" in found:
            for item, reasons in zip(items, found["because"], strict=True):
                item["because"] = [self._named(reason) for reason in reasons]
        return {
            "history": self.items(known.item_ids - NUM_SPECIAL_IDS),
            "items": items,
            "intents": self._intents_of(user, known),
            "from_popularity": bool(found["from_popularity"].any()),
        }

    def similar(self, item: str) -> dict:
        """The items whose vectors have the largest cosine with that of an item.

        Returns:
            The ``item`` and the ``items`` as cards, these with their ``cosine``.

        Raises:
            UserError: If the item is unknown, or the model has no vectors of items.
        """
        if not self._has_vectors:
            raise UserError("This model has no vectors of items, and so no similar ones.")
        [row] = self.items.rows_of([item])
        cosines = self.recommender.ranker.cosines([row]).numpy()[0]
        cosines[row] = -np.inf
        most = min(_MOST_FOUND, len(cosines) - 1)
        best = np.argpartition(-cosines, most - 1)[:most]
        best = best[np.argsort(-cosines[best], kind="stable")]
        items = self.items(best)
        for one, cosine in zip(items, cosines[best].tolist(), strict=True):
            one["cosine"] = cosine
        return {"item": self.items([row])[0], "items": items}

    def _named(self, reason: dict) -> dict:
        """A reason with the name of its intent, if it has one."""
        if reason["intent"] is None or not self.intents:
            return {**reason, "intent_name": None}
        return {**reason, "intent_name": self.intents.name_of(reason["intent"])}

    def _history_of(self, user: str | None, history: Sequence[str]) -> Histories:
        if user is not None:
            return self.recommender.histories_of([user], "raise")
        return self.recommender.encode_items([list(history)], 1, "raise")

    def _intents_of(self, user: str | None, known: Histories) -> list[dict]:
        rows = None if user is None else self.recommender.trained_rows([user])
        rows = np.array([-1], dtype=np.int32) if rows is None else rows
        item_ids = known.padded(np.array([0]), self.model.max_length)
        return self.intents.closest(self.recommender.ranker.encode(item_ids, rows))

    @property
    def _rerankers(self) -> list[str]:
        return possible_rerankers(self.recommender.ranker, self.recommender.catalogue)

    @property
    def _has_vectors(self) -> bool:
        return self.model.by_dot_product and self.log.num_items > 1

    @functools.cached_property
    def _values(self) -> dict[str, tuple[np.ndarray, np.ndarray, TextSearch]]:
        """By name the values, how many items have each, and a search among them."""
        found = {}
        for name, attribute in self.recommender.catalogue.known_of_items.items():
            numbers, values = attribute.of_items[NUM_SPECIAL_IDS:], attribute.vocabulary
            counts = np.bincount(numbers, minlength=values.size)[NUM_SPECIAL_IDS:]
            found[name] = values.ids, counts, TextSearch((values.ids,), counts)
        return found
