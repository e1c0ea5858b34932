"""From users and their intents to what is typical of each."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from tf_iclrec.analysis.intents.assignment import Assignment
from tf_iclrec.analysis.intents.intent_description import (
    IntentDescription,
    Neighbour,
    names_of_intents,
)
from tf_iclrec.analysis.intents.typical import (
    ITEM,
    TypicalValue,
    lifts,
    typical_values,
    users_of_values,
)
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_attributes import PROVIDER


def descriptions(
    log: Interactions,
    assignment: Assignment,
    centroids: np.ndarray,
    names: Sequence[str],
    top: int = 10,
    examples: int = 5,
    neighbours: int = 3,
    significance: float = 0.05,
) -> list[IntentDescription]:
    """What there is to say of each intent; see `tf_iclrec.describe_intents`.

    Args:
        log: What the users did.
        assignment: Their intents.
        centroids: ``(K, dim)``.
        names: Of what is known of the items, to describe intents by.
        top: Typical items, and typical values, of an intent at most.
        examples: Users nearest to the centroid.
        neighbours: Nearest other intents.
        significance: Of the test; see `lifts`.
    """
    sizes = assignment.sizes
    items = typical_of(log, assignment, ITEM, top, significance)
    of_names = [typical_of(log, assignment, name, top, significance) for name in names]
    values = [
        sorted((one for some in of_names for one in some[intent]), key=lambda one: -one.least_lift)
        for intent in range(len(sizes))
    ]
    nearest = _nearest_users(assignment, examples)
    close = _neighbours(centroids, neighbours)
    return [
        IntentDescription(
            id=intent,
            name=name,
            users=int(sizes[intent]),
            share=float(sizes[intent] / sizes.sum()),
            items=items[intent],
            values=values[intent][:top],
            examples=[str(user) for user in log.users[nearest[intent]]],
            neighbours=close[intent],
        )
        for intent, name in enumerate(names_of_intents(items, values))
    ]


def typical_of(
    log: Interactions, assignment: Assignment, kind: str, top: int, significance: float = 0.05
) -> list[list[TypicalValue]]:
    """What is typical of each intent, the most typical first.

    Args:
        log: What the users did.
        assignment: Their intents.
        kind: ``"item"``, or a name in `Interactions.known_of_items`.
        top: So many of each intent at most.
        significance: Of the test; see `lifts`.
    """
    histories, ids_of, sizes = assignment.histories, None, assignment.sizes
    if kind == ITEM:
        names, titles = log.items.ids, log.titles
        titles = names if titles is None else np.where(titles == "", names, titles)
    else:
        attribute = log.known_of_items[kind]
        names = titles = attribute.vocabulary.ids
        if kind == PROVIDER and log.own_provider_ids is not None:
            # As recorded with the interactions.
            histories = dataclasses.replace(histories, item_ids=log.provider_ids)
        else:
            ids_of = attribute.of_items
    users = users_of_values(
        histories, ids_of, len(names), assignment.intents, len(sizes), above_average=kind != ITEM
    )
    found = lifts(users, sizes, significance).first(top)
    return typical_values(found, kind, names, titles, sizes)


def _nearest_users(assignment: Assignment, most: int) -> list[np.ndarray]:
    """Rows in the log of the users nearest to the centroid of their intent, for each intent."""
    order = np.lexsort((assignment.distances, assignment.intents))
    starts = np.concatenate([[0], np.cumsum(assignment.sizes)])
    return [
        assignment.users[order[first : min(first + most, last)]]
        for first, last in itertools.pairwise(starts)
    ]


def _neighbours(centroids: np.ndarray, most: int) -> list[list[Neighbour]]:
    lengths = np.linalg.norm(centroids, axis=1, keepdims=True)
    directions = centroids / np.maximum(lengths, 1e-12)
    cosines = (directions @ directions.T).astype(np.float64)
    np.fill_diagonal(cosines, -np.inf)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(most, len(cosines) - 1)]
    return [
        [Neighbour(other, float(row[other])) for other in some.tolist()]
        for row, some in zip(cosines, order, strict=True)
    ]
