"""What the page asks of a run, answered in plain values that JSON can hold."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.explorer.text_search import TextSearch
from tf_iclrec.recommendation import recommend, recommender_of
from tf_iclrec.runs import Run

_MOST_FOUND = 20


class Explorer:
    """Answers about a run: recommendations through `tf_iclrec.recommend`, and what explains them.

    An item is a dict of its ``id``, ``title`` (``""`` = none), ``count`` of interactions in the
    training data, and ``known``: what is known of it, by name.

    Args:
        run: A finished run, whose model is the one to serve.
        name: How to call it. Defaults to its model's name.

    Example:
    >>> explorer = Explorer(run)  # doctest: +SKIP
    >>> explorer.recommend(history=["tea"], k=1)["items"][0]["title"]  # doctest: +SKIP
    'Jam'
    """

    def __init__(self, run: Run, name: str = ""):
        self.log = run.interactions
        self.counts = np.asarray(run.split.training_counts)
        self.recommender = recommender_of(run)
        self.model = run.model
        self._name, self._system = name or run.config.model, run.config.model
        self._titles = self.log.titles
        if self._titles is None:
            self._titles = np.full(self.log.num_items, "", dtype=object)
        self._known = self.log.known_of_items
        self._items = TextSearch((self.log.items.ids, self._titles), self.counts)
        self._users = TextSearch((self.log.users,), self.log.lengths)

    def warm_up(self) -> None:
        """Trace every graph, which the first requests would otherwise wait for."""
        [item] = self.find_items("")[:1]
        self.recommend(user=self.log.users[0], k=1)
        self.recommend(history=[item["id"]], k=1)
        for name, attribute in self.recommender.catalogue.known.items():
            self.recommend(k=1, without={name: [attribute.vocabulary.ids[0]]})
        if self._has_vectors:
            self.similar(item["id"])

    def facts(self) -> dict:
        """What the run is, and what can be asked."""
        return {
            "name": self._name,
            "model": self._system,
            "items": self.log.num_items,
            "users": self.log.num_users,
            "filters": list(self.recommender.catalogue.known),
            "has_similar": self._has_vectors,
            "most": min(100, self.log.num_items),
        }

    def find_items(self, query: str) -> list[dict]:
        """Items whose id or title holds a text."""
        return self._described(self._items(query, _MOST_FOUND))

    def find_users(self, query: str) -> list[dict]:
        """Users whose id holds a text, with the length of their histories."""
        rows = self._users(query, _MOST_FOUND)
        return [{"id": self.log.users[row], "count": int(self.log.lengths[row])} for row in rows]

    def some_user(self) -> dict:
        """One of the users, at random."""
        return {"id": str(np.random.default_rng().choice(self.log.users))}

    def find_values(self, name: str, query: str) -> list[dict]:
        """Values that hold a text, of something that filters can name, with how many items have
        them.

        Raises:
            UserError: If nothing is known by that name.
        """
        known = self.recommender.catalogue.known
        if name not in known:
            raise UserError(f"There is no filter by {name!r}: {nearest(name, known)}")
        values, counts, search = self._values(name)
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
            The ``history`` and the recommended ``items`` as items, these with their ``score``; and
            ``from_popularity``.

        Raises:
            UserError: As `tf_iclrec.recommend`, also for unknown ids.
        """
        asked["on_unknown"] = "raise"
        if user is not None:
            found = recommend(self.recommender, user_ids=[user], **asked)
            rows = self.recommender.histories_of([user]).item_ids - NUM_SPECIAL_IDS
        else:
            found = recommend(self.recommender, [history], **asked)
            rows = self._rows_of(history)
        items = self._described(self._rows_of(found["item_id"]))
        for item, score in zip(items, found["score"].tolist(), strict=True):
            item["score"] = score
        return {
            "history": self._described(rows),
            "items": items,
            "from_popularity": bool(found["from_popularity"].any()),
        }

    def similar(self, item: str, k: int = _MOST_FOUND) -> dict:
        """The items whose vectors have the largest cosine with that of an item.

        Raises:
            UserError: If the item is unknown, or the model has no vectors of items.
        """
        if not self._has_vectors:
            raise UserError("This model has no vectors of items, and so no similar ones.")
        [row] = self._rows_of([item])
        if row < 0:
            raise UserError(f"Item {item!r} is not in the data.")
        cosines = self._unit_vectors @ self._unit_vectors[row]
        cosines[row] = -np.inf
        k = min(k, len(cosines) - 1)
        best = np.argpartition(-cosines, k - 1)[:k]
        best = best[np.argsort(-cosines[best], kind="stable")]
        items = self._described(best)
        for one, cosine in zip(items, cosines[best].tolist(), strict=True):
            one["cosine"] = cosine
        return {"item": self._described([row])[0], "items": items}

    @property
    def _has_vectors(self) -> bool:
        return self.model.by_dot_product and self.log.num_items > 1

    @functools.cached_property
    def _unit_vectors(self) -> np.ndarray:
        vectors = np.asarray(self.model.item_vectors(), dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    @functools.cache  # noqa: B019 - the explorer lives as long as the program.
    def _values(self, name: str) -> tuple[np.ndarray, np.ndarray, TextSearch]:
        attribute = self.recommender.catalogue.known[name]
        values = attribute.vocabulary.ids
        counts = np.bincount(
            attribute.of_items[NUM_SPECIAL_IDS:], minlength=attribute.vocabulary.size
        )[NUM_SPECIAL_IDS:]
        return values, counts, TextSearch((values,), counts)

    def _rows_of(self, ids: Sequence[str]) -> np.ndarray:
        return self.log.items.encode(list(ids)) - NUM_SPECIAL_IDS

    def _described(self, rows: Sequence[int]) -> list[dict]:
        return [
            {
                "id": self.log.items.ids[row],
                "title": self._titles[row],
                "count": int(self.counts[row]),
                "known": self._known_of(row),
            }
            for row in rows
        ]

    def _known_of(self, row: int) -> Mapping[str, str]:
        ids = {name: one.of_items[row + NUM_SPECIAL_IDS] for name, one in self._known.items()}
        return {
            name: self._known[name].vocabulary.ids[number - NUM_SPECIAL_IDS]
            for name, number in ids.items()
            if number != UNKNOWN_ID
        }
