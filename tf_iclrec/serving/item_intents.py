"""What an item is about: the intent of a user who knows it alone."""

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import ranking_batch_size
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.serving.ranker import Ranker

NO_INTENT = -1
# Histories of one item, encoded at a time.
_ITEMS = 4096


def item_intents(ranker: Ranker) -> np.ndarray:
    """The intent of each item: that of the history which holds the item alone.

    Intents are clusters of the mean vectors of histories; so items are placed among them in the
    same way as users are. Of several numbers of intents ``K`` it is the first, as in serving.

    Args:
        ranker: The model.

    Returns:
        ``(items,)`` int32, -1 for a model without intents.

    Example:
    >>> from tf_iclrec import Interactions, build_model, leave_one_out, make_config
    >>> split = leave_one_out(Interactions.from_sequences({"ann": ["tea", "jam", "oil"]}))
    >>> model = build_model(make_config(model="sasrec", max_length=5), split.catalogue)
    >>> item_intents(Ranker(model, split.training_counts)).tolist()
    [-1, -1, -1]
    """
    num_items = ranker.index.num_items
    intents = np.full(num_items, NO_INTENT, dtype=np.int32)
    model = ranker.model
    if model.intents is None:
        return intents
    size = _ITEMS if model.by_dot_product else ranking_batch_size(num_items)
    for start in range(0, num_items, size):
        rows = np.arange(start, min(start + size, num_items), dtype=np.int32)
        encoded = ranker.encode(rows[:, np.newaxis] + NUM_SPECIAL_IDS, np.full_like(rows, -1))
        (nearest, _), *_ = model.intents(encoded.mean_vectors)
        intents[rows] = tf.cast(nearest, tf.int32)
    return intents
