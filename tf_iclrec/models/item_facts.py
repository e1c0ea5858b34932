"""What a log and a model know of items."""

import numpy as np
import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import special_ids_and
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.evaluation.lists.item_facts import INTENT, ItemFacts
from tf_iclrec.models.recommender import Recommender

_ENCODED_AT_ONCE = 8192


def item_facts(model: Recommender, split: Split) -> ItemFacts:
    """What a log and a model know of items.

    Args:
        model: Where it has vectors of items, they say which are alike; where it has intents, each
            item has one, see `item_intents`.
        split: What it was trained on.
    """
    values = {name: one.of_items for name, one in split.interactions.known_of_items.items()}
    if model.found_intents:
        values[INTENT] = special_ids_and(NUM_SPECIAL_IDS + item_intents(model, split.catalogue))
    vectors = model.item_vectors() if hasattr(model, "item_vectors") else None
    if vectors is not None:
        vectors = tf.cast(vectors, tf.float32).numpy()
    return ItemFacts(split.training_counts, values, vectors)


def item_intents(model: Recommender, catalogue: Catalogue) -> np.ndarray:
    """The intent of each item: that of a user with nothing but this item.

    Args:
        model: A recommender with intents; of several numbers of them, the first counts.
        catalogue: Its items.

    Returns:
        ``(items,)`` int32 from 0.
    """
    item_ids = np.arange(NUM_SPECIAL_IDS, catalogue.vocabulary_size, dtype=np.int32)
    found = []
    for first in range(0, len(item_ids), _ENCODED_AT_ONCE):
        histories = item_ids[first : first + _ENCODED_AT_ONCE, np.newaxis]
        batch = {"item_ids": tf.constant(histories)}
        if catalogue.providers is not None:
            batch["provider_ids"] = tf.constant(catalogue.providers.of_items[histories])
        found.append(model.intents(model.mean_vectors(batch))[0][0].numpy())
    return np.concatenate(found).astype(np.int32)
