"""A warm start: a new model goes on from the weights of one that knew another part of the log."""

from collections.abc import Sequence
from typing import Annotated

import keras
import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.settings import Setting


def take_over(
    model: Recommender,
    log: Interactions,
    known_model: Recommender,
    known: Split,
    init_from: Annotated[
        str, Setting("run whose weights to start from; its settings are the defaults then")
    ] = "",
) -> None:
    """Copy the weights of a trained model into a new one of the same kind; prints what was known.

    Rows of items, users, providers and values of attributes are found again by their raw ids. One
    that is new, or of which nothing was in the training part, starts from its random row plus the
    mean of all that were known; where items also have the vectors of their providers and
    attributes, a new item so starts near those of its own. Everything else is taken as it is, the
    centroids of the intents too.

    Args:
        model: A new, built model.
        log: What it is for.
        known_model: What to start from.
        known: What that was trained on.
        init_from: How to name it.

    Raises:
        ValueError: If the models have different weights.
    """
    tables, known_tables = _tables(model), _tables(known_model)
    pairs = list(zip(model.weights, known_model.weights, strict=False))
    fitting = len(model.weights) == len(known_model.weights) and all(
        _fits(weight, before, tables) for weight, before in pairs
    )
    if not fitting or list(log.attributes) != list(known.interactions.attributes):
        raise ValueError("The models have different weights.")
    for weight, before in pairs:
        if id(weight) in tables:
            _take_rows(tables[id(weight)], log, known_tables[id(before)], known)
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


def _take_rows(table: IdEmbedding, log: Interactions, before: IdEmbedding, known: Split) -> None:
    names, special = _row_names(log, table.rows_of)
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
    if is_known[special:].any():
        rows[~is_known] += rows[special:][is_known[special:]].mean(axis=0)
    table.embeddings.assign(rows)


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
