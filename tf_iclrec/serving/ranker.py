"""Histories to ranked items, on internal ids: what serving and batch recommendation share."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID, UNKNOWN_ID
from tf_iclrec.models.item_facts import item_intents
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.retrieval_index import RetrievalIndex
from tf_iclrec.serving.score_index import ScoreIndex

NO_INTENT = -1


class EncodedUsers(NamedTuple):
    """What a ranker knows of users.

    Attributes:
        queries: ``(batch, n)`` float32, for the ranker's index.
        own: ``(batch, n)`` float32, likewise, but what the model itself says of all users, also of
            those of whom nothing is known.
        mean_vectors: ``(batch, dim)`` float32, what intents are clusters of; of no meaning for a
            model without intents.
        is_new: ``(batch,)`` bool, whether nothing is known of the user, who gets the items by
            popularity.
    """

    queries: tf.Tensor
    own: tf.Tensor
    mean_vectors: tf.Tensor
    is_new: tf.Tensor


class Ranker(tf.Module):
    """A recommender with an index over its catalogue.

    A row of the catalogue is an internal item id less the special ones. Users of whom nothing is
    known get the items by popularity: those without a known item, unless the model has a vector of
    them that suffices. In an index of vectors each item has its count as one more coordinate, which
    only their queries see; where the model gives scores, theirs are the counts. So one search, with
    the same exclusions, serves all users.

    Args:
        model: The recommender.
        split: What it was trained on.

    Attributes:
        counts: ``(items,)`` float32 number of interactions of each item in the training data.
        index: A `RetrievalIndex` over item vectors and counts, or a `ScoreIndex` for a model
            whose scores are no dot products.
    """

    def __init__(self, model: Recommender, split: Split):
        super().__init__()
        self.catalogue = split.catalogue
        # Of the model only the variables are saved, and as TensorFlow's: Keras 3 gives each of
        # its own a second one in a SavedModel, and the C++ loader restores that one only.
        # The optimizer's stay behind as well.
        self._model = lambda: model
        self.weights = [variable.value for variable in model.weights]
        self.counts = tf.cast(split.training_counts, tf.float32)
        if model.by_dot_product:
            item_vectors = tf.cast(model.item_vectors(), tf.float32)
            self._dim = item_vectors.shape[1]
            self.index = RetrievalIndex(tf.concat([item_vectors, self.counts[:, None]], axis=1))
        else:
            self.index = ScoreIndex(len(split.training_counts))

    @property
    def model(self) -> Recommender:
        return self._model()

    def vectors_of(self, rows: tf.Tensor) -> tf.Tensor:
        """Item vectors ``(..., dim)`` of rows of the catalogue, of a model that has them."""
        # Without the counts, which stand in the coordinate after the model's own.
        return tf.gather(self.index.vectors, rows)[..., : self._dim]

    def cosines(self, rows: tf.Tensor) -> tf.Tensor:
        """``(batch, items)`` float32 of rows ``(batch,)`` of the catalogue with all items, of a
        model that has item vectors."""
        vectors = self.index.vectors[:, : self._dim]
        own = tf.math.l2_normalize(self.vectors_of(rows), axis=1)
        cosines = tf.matmul(own, vectors, transpose_b=True)
        return cosines * tf.math.rsqrt(tf.reduce_sum(vectors * vectors, axis=1) + 1e-12)

    @functools.cached_property
    def intents_of_items(self) -> tf.Tensor:
        """``(item vocabulary size,)`` int32 the intent of each item by internal id, -1 = none."""
        # Every item is encoded for it: once for all who ask.
        intents = np.full(self.catalogue.vocabulary_size, NO_INTENT, dtype=np.int32)
        if self.model.found_intents:
            intents[NUM_SPECIAL_IDS:] = item_intents(self.model, self.catalogue)
        return tf.constant(intents)

    def are_new(
        self, is_empty: np.ndarray | tf.Tensor, users: np.ndarray | tf.Tensor
    ) -> np.ndarray | tf.Tensor:
        """Whether nothing is known of users, ``(batch,)`` bool.

        Args:
            is_empty: ``(batch,)`` bool, which of them have no known item; an array or a tensor.
            users: ``(batch,)`` their rows in the training log, -1 = not there.
        """
        return is_empty & (users < 0) if self.model.users_suffice else is_empty

    # A graph of its own: traced once, not in every signature again.
    @tf.function(
        autograph=False,
        input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)],
    )
    def encode(self, item_ids: tf.Tensor, users: tf.Tensor) -> EncodedUsers:
        """Encode users.

        Args:
            item_ids: ``(batch, time)`` internal ids of their histories, 0 = padding.
            users: ``(batch,)`` their rows in the training log, -1 = not there.
        """
        is_empty = tf.reduce_all(item_ids < NUM_SPECIAL_IDS, axis=1)
        is_new = self.are_new(is_empty, users)
        if self.model.users_suffice:
            # A padded position has no state, whoever the user is.
            alone = (is_empty & ~is_new)[:, tf.newaxis]
            item_ids = tf.where(alone, UNKNOWN_ID, item_ids)
        inputs = {"item_ids": item_ids, "users": users}
        if not self.model.by_dot_product:
            scores = tf.cast(self.model(inputs), tf.float32)
            queries = tf.where(is_new[:, tf.newaxis], self.counts, scores)
            means = self.model.mean_vectors(inputs) if self.model.intents else scores[:, :0]
            return EncodedUsers(queries, scores, means, is_new)
        vectors, means = self.model.encode(inputs)
        vectors = tf.where(is_new[:, tf.newaxis], 0.0, tf.cast(vectors, tf.float32))
        queries = tf.concat([vectors, tf.cast(is_new, tf.float32)[:, tf.newaxis]], axis=1)
        own = tf.pad(vectors, [[0, 0], [0, 1]])
        return EncodedUsers(queries, own, means, is_new)

    def recent(self, known: tf.RaggedTensor) -> tf.Tensor:
        """The last items that the model reads.

        Args:
            known: ``(batch, any)`` int32 internal ids of known items, oldest first.

        Returns:
            ``(batch, time)`` int32, 0 = padding; of one column at least.
        """
        longest = self.model.max_length
        recent = (known if longest is None else known[:, -longest:]).to_tensor(PADDING_ID)
        missing = tf.maximum(1 - tf.shape(recent)[1], 0)
        return tf.pad(recent, [[0, 0], [0, missing]])
