"""What providers give to a ranking: affinities, limits, and items nobody has bought yet."""

import numpy as np
import tensorflow as tf

from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID


def provider_affinities(scores: tf.Tensor, providers: ItemAttribute) -> tf.Tensor:
    """How likely each provider is to offer a user's next item.

    The softmax of the scores, summed over the items of each provider: for a model trained
    with the softmax loss the probability that it states.

    Args:
        scores: ``(batch, items)`` float32 scores of all items.
        providers: The items' providers.

    Returns:
        ``(batch, providers)`` float32, column ``i`` belonging to the internal provider id
        ``i + 3``. Rows sum to 1, less what items of unknown provider have.

    Example:
    >>> from tf_iclrec.data.vocabulary import Vocabulary
    >>> providers = ItemAttribute(Vocabulary(["acme", "best"]), np.array([0, 1, 2, 4, 3, 3, 3]))
    >>> provider_affinities(tf.zeros((1, 4)), providers).numpy().tolist()
    [[0.75, 0.25]]
    """
    probabilities = tf.transpose(tf.nn.softmax(scores))
    of_items = providers.of_items[NUM_SPECIAL_IDS:]
    sums = tf.math.unsorted_segment_sum(probabilities, of_items, providers.vocabulary.size)
    return tf.transpose(sums[NUM_SPECIAL_IDS:])


def limit_per_provider(scores: tf.Tensor, providers: ItemAttribute, limit: int) -> tf.Tensor:
    """Take all but each provider's best items out of a ranking.

    ``tf.math.top_k`` of the result is the best list with at most ``limit`` items per provider.
    Items of unknown provider are not limited.

    Args:
        scores: ``(batch, items)`` float32 scores of all items.
        providers: The items' providers.
        limit: Items to keep per provider, at least 1. Of equal scores the first is kept.

    Returns:
        ``(batch, items)``: the scores, minus infinity where an item is taken out.

    Raises:
        ValueError: If ``limit`` is less than 1.

    Example: the second item of the first provider goes.
    >>> from tf_iclrec.data.vocabulary import Vocabulary
    >>> providers = ItemAttribute(Vocabulary(["acme", "best"]), np.array([0, 1, 2, 3, 3, 4]))
    >>> limit_per_provider(tf.constant([[9.0, 8.0, 7.0]]), providers, 1).numpy().tolist()
    [[9.0, -inf, 7.0]]
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}.")
    of_items = providers.of_items[NUM_SPECIAL_IDS:]
    # Items by provider, and within a provider by falling score: a place is then a rank.
    grouped = np.sort(of_items)
    first_place = np.searchsorted(grouped, grouped)
    order = tf.argsort(scores, direction="DESCENDING", stable=True)
    order_by_provider = tf.argsort(tf.gather(of_items, order), stable=True)
    items = tf.gather(order, order_by_provider, batch_dims=1)
    kept = (np.arange(len(grouped)) - first_place < limit) | (grouped == UNKNOWN_ID)
    place_of_item = tf.argsort(items)
    return tf.where(tf.gather(tf.constant(kept), place_of_item), scores, -float("inf"))


def provider_mean_vectors(item_vectors: tf.Tensor, providers: ItemAttribute) -> tf.Tensor:
    """Vectors for items without any interaction: the mean of their provider's items.

    The score of such an item is the user vector times its provider's mean vector, and can
    stand beside the scores of the catalogue.

    Args:
        item_vectors: ``(items, dim)`` output vectors of the catalogue.
        providers: The items' providers.

    Returns:
        ``(providers, dim)``, row ``i`` belonging to the internal provider id ``i + 3``; zero for
        a provider without items.

    Example:
    >>> from tf_iclrec.data.vocabulary import Vocabulary
    >>> providers = ItemAttribute(Vocabulary(["acme", "best"]), np.array([0, 1, 2, 3, 3, 4]))
    >>> vectors = tf.constant([[1.0], [3.0], [5.0]])
    >>> provider_mean_vectors(vectors, providers).numpy().tolist()
    [[2.0], [5.0]]
    """
    of_items = tf.constant(providers.of_items[NUM_SPECIAL_IDS:])
    means = tf.math.unsorted_segment_mean(item_vectors, of_items, providers.vocabulary.size)
    return means[NUM_SPECIAL_IDS:]
