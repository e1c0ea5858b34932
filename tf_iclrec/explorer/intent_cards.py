"""Intents as the page shows them, and those of a history."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.analysis.intents.assignment import Assignment
from tf_iclrec.analysis.intents.descriptions import descriptions
from tf_iclrec.analysis.intents.intent_description import IntentDescription
from tf_iclrec.errors import UserError
from tf_iclrec.runs import Run
from tf_iclrec.serving.ranker import EncodedUsers

_CLOSEST = 3


class IntentCards:
    """The intents of a run, described once; none where the model has none.

    Args:
        run: A finished run.
    """

    def __init__(self, run: Run):
        self._model = run.model
        self._intents: list[IntentDescription] = []
        if run.model.found_intents:
            assignment = Assignment.of_users(run.model, run.split)
            centroids = run.model.intents.centroids[0].numpy()
            known = list(run.interactions.known_of_items)
            self._intents = descriptions(run.interactions, assignment, centroids, known)

    def __len__(self) -> int:
        return len(self._intents)

    def name_of(self, number: int) -> str:
        return self._intents[number].name

    def overview(self) -> list[dict]:
        """A line for each intent, those of most users first."""
        return [
            {
                "id": one.id,
                "name": one.name,
                "users": one.users,
                "share": one.share,
                "items": [item.title for item in one.items[:_CLOSEST]],
            }
            for one in sorted(self._intents, key=lambda one: -one.users)
        ]

    def card(self, number: str) -> dict:
        """All that `IntentDescription` says of an intent, with names of its neighbours.

        Raises:
            UserError: If there is no intent of this number.
        """
        if not (number.isdecimal() and int(number) < len(self)):
            raise UserError(f"There is no intent {number!r}; there are {len(self)}, from 0.")
        one = self._intents[int(number)]
        neighbours = [
            {**dataclasses.asdict(other), "name": self._intents[other.id].name}
            for other in one.neighbours
        ]
        return {**dataclasses.asdict(one), "neighbours": neighbours}

    def closest(self, encoded: EncodedUsers) -> list[dict]:
        """The intents closest to one user, with the affinity to each; none for a user of whom
        nothing is known."""
        if not self._intents or bool(encoded.is_new[0]):
            return []
        affinities = self._model.intents.affinities(encoded.mean_vectors)[0][0].numpy()
        return [
            {"id": one.id, "name": one.name, "affinity": float(affinities[one.id])}
            for one in self._best(affinities)
        ]

    def _best(self, affinities: np.ndarray) -> list[IntentDescription]:
        return [self._intents[number] for number in np.argsort(-affinities)[:_CLOSEST]]
