"""A warm start: a new model goes on from the weights of one that knew another part of the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import keras
import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.settings import Setting
from tf_iclrec.training.spectral_initialization import co_occurrences

if TYPE_CHECKING:
    from scipy import sparse


def take_over(
    model: Recommender,
    split: Split,
    known_model: Recommender,
    known: Split,
    init_from: Annotated[
        str,
        Setting(
            "run whose weights to start from; its settings are the defaults then, but for the "
            "dates that its data were cut at"
        ),
    ] = "",
) -> None:
    """Copy the weights of a trained model into a new one of the same kind; prints what was known.

    Rows of items, users, providers and values of attributes are found again by their raw ids. One
    that is new, or of which nothing was in the training part, starts from a mean of those that were
    known: an item from that of the items which it meets in the training histories, the closer the
    more, and where there are none from that of all, as far away from it as the known ones are. The
    vectors of an item's provider and attributes are its own in any case. Everything else is taken
    as it is, the centroids of the intents too.

    Args:
        model: A new, built model.
        split: What it is to be trained on.
        known_model: What to start from.
        known: What that was trained on.
        init_from: How to name it.

    Raises:
        ValueError: If the models have different weights.
    """
    log = split.interactions
    tables, known_tables = _tables(model), _tables(known_model)
    pairs = list(zip(model.weights, known_model.weights, strict=False))
    fitting = len(model.weights) == len(known_model.weights) and all(
        _fits(weight, before, tables) for weight, before in pairs
    )
    if not fitting or list(log.attributes) != list(known.interactions.attributes):
        raise ValueError("The models have different weights.")
    for weight, before in pairs:
        if id(weight) in tables:
            _take_rows(tables[id(weight)], split, known_tables[id(before)], known)
        elif keras.backend.is_float_dtype(weight.dtype):
            # What is no number with a point is a fact of the catalogue or a state of randomness.
            weight.assign(before)
    trained = known.interactions.items.ids[known.training_counts > 0]
    again = int(np.isin(log.items.ids, trained).sum())
    print(
        f"Warm start from {init_from}: {again} of {log.num_items} items are known, "
        f"{log.num_items - again} are new, {len(trained) - again} of its items are gone.",
        flush=True,
    )


def _tables(model: Recommender) -> dict[int, IdEmbedding]:
    """The tables by id of a model, by the identity of their weight."""
    layers = model._flatten_layers(include_self=False)
    return {id(one.embeddings): one for one in layers if isinstance(one, IdEmbedding)}


def _fits(weight: keras.Variable, known: keras.Variable, tables: dict[int, IdEmbedding]) -> bool:
    if id(weight) in tables or not keras.backend.is_float_dtype(weight.dtype):
        return weight.name == known.name and weight.shape[1:] == known.shape[1:]
    return weight.name == known.name and weight.shape == known.shape


def _take_rows(table: IdEmbedding, split: Split, before: IdEmbedding, known: Split) -> None:
    names, special = _row_names(split.interactions, table.rows_of)
    known_names, _ = _row_names(known.interactions, table.rows_of)
    places = Vocabulary(known_names).encode(names) - NUM_SPECIAL_IDS
    is_known = places >= 0
    trained = np.ones(len(known_names), dtype=bool)
    if table.rows_of == "items":
        trained[special:] = known.training_counts > 0
    if table.rows_of == "users":
        trained = known.train.lengths > 0
    is_known[is_known] = trained[places[is_known]]
    rows = table.embeddings.numpy()
    rows[is_known] = before.embeddings.numpy()[places[is_known]] * (before.scale / table.scale)
    if is_known[special:].any() and not is_known.all():
        near = co_occurrences(split) if table.rows_of == "items" else None
        rows[special:] += _starts(rows[special:], is_known[special:], near)
    table.embeddings.assign(rows)


def _starts(rows: np.ndarray, is_known: np.ndarray, near: sparse.csr_array | None) -> np.ndarray:
    """What to add to rows ``(n, dim)``: nothing to known ones, to others what `take_over` says, by
    how much the rows met ``(n, n)``."""
    known, others = rows[is_known], rows[~is_known]
    added = np.zeros_like(rows)
    # As far from the mean as the known ones, so that they don't all stand in one place.
    added[~is_known] = known.mean(axis=0) + others * (known.std() / others.std() - 1)
    if near is not None:
        weights = near[~is_known][:, is_known]
        total = weights.sum(axis=1)
        means = weights @ rows[is_known] / np.maximum(total, 1e-9)[:, np.newaxis]
        added[~is_known] = np.where(total[:, np.newaxis] > 0, means, added[~is_known])
    return added


def _row_names(log: Interactions, rows_of: str | int) -> tuple[np.ndarray, int]:
    """What the rows of a table stand for, ``(rows,)`` strings, and how many stand for special ids,
    the first ones."""
    if rows_of == "users":
        return log.users, 0
    attributes = list(log.attributes.items())
    if rows_of == "attributes":
        # As in `AttributePrototypes`.
        values = [f"{name} {value}" for name, one in attributes for value in one.vocabulary.ids]
        return _with_special(values, 1)
    if rows_of == "items":
        return _with_special(log.items.ids, NUM_SPECIAL_IDS)
    attribute = log.providers if rows_of == "providers" else attributes[rows_of][1]
    return _with_special(attribute.vocabulary.ids, NUM_SPECIAL_IDS)


def _with_special(ids: Sequence[str], special: int) -> tuple[np.ndarray, int]:
    # No id of a log begins so.
    return np.array([*(f"\0{number}" for number in range(special)), *ids], dtype=object), special
