"""Histories to ranked items, on internal ids: what serving and batch recommendation share."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.serving.retrieval_index import RetrievalIndex


class EncodedUsers(NamedTuple):
    """What a ranker knows of users.

    Attributes:
        queries: ``(batch, dim + 1)`` float32, for the ranker's index.
        vectors: ``(batch, dim)`` float32 user vectors.
        mean_vectors: ``(batch, dim)`` float32, what intents are clusters of.
        is_new: ``(batch,)`` bool, whether nothing is known of the user.
    """

    queries: tf.Tensor
    vectors: tf.Tensor
    mean_vectors: tf.Tensor
    is_new: tf.Tensor


class Ranker(tf.Module):
    """A recommender with an index over its catalogue.

    A row of the catalogue is an internal item id less the special ones. Users without a known
    item get the items by popularity: in the index each item has its count as one more
    coordinate, which only their queries see. So one search, with the same exclusions, serves
    all users.

    Args:
        model: The recommender.
        counts: ``(items,)`` number of interactions of each item in the training data.

    Attributes:
        index: The `RetrievalIndex` over item vectors and counts.
    """

    def __init__(self, model: SequentialRecommender, counts: np.ndarray):
        super().__init__()
        # Of the model only the variables are saved, and as TensorFlow's: Keras 3 gives each of
        # its own a second one in a SavedModel, and the C++ loader restores that one only.
        # The optimizer's stay behind as well.
        self._model = lambda: model
        layers = [model.encoder] if model.intents is None else [model.encoder, model.intents]
        self.weights = [variable.value for layer in layers for variable in layer.variables]
        counts = tf.cast(counts, tf.float32)[:, tf.newaxis]
        item_vectors = tf.cast(model.item_vectors(), tf.float32)
        self.index = RetrievalIndex(tf.concat([item_vectors, counts], axis=1))

    @property
    def model(self) -> SequentialRecommender:
        return self._model()

    # A graph of its own: traced once, not in every signature again.
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def encode(self, item_ids: tf.Tensor) -> EncodedUsers:
        """Encode histories ``(batch, time)`` of internal ids, 0 = padding."""
        vectors, mean_vectors = self.model.encode({"item_ids": item_ids})
        is_new = tf.reduce_all(item_ids < NUM_SPECIAL_IDS, axis=1)
        vectors = tf.where(is_new[:, tf.newaxis], 0.0, tf.cast(vectors, tf.float32))
        queries = tf.concat([vectors, tf.cast(is_new, tf.float32)[:, tf.newaxis]], axis=1)
        return EncodedUsers(queries, vectors, mean_vectors, is_new)
