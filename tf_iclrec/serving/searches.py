"""Where a batch of users is searched for items: among some rows, or in a list of each user's."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.retrieval_index import contains


class Asked(NamedTuple):
    """Users of a request.

    Attributes:
        rows: ``(batch,)`` their numbers in the request.
        item_ids: ``(batch, time)`` int32 their histories.
        trained_rows: ``(batch,)`` int32 their rows in the training log, -1 = not there.
        excluded: ``(batch, width)`` int32 items to leave out.
    """

    rows: np.ndarray
    item_ids: np.ndarray
    trained_rows: np.ndarray
    excluded: np.ndarray


# From users and k to scores and rows of the catalogue.
Search = Callable[[Asked, int], tuple[tf.Tensor, tf.Tensor]]

_IDS = tf.TensorSpec([None, None], tf.int32)
_ROWS = tf.TensorSpec([None], tf.int32)
_NUMBER = tf.TensorSpec([], tf.int32)


class IndexSearch(tf.Module):
    """Search among some rows of the catalogue, the same for all users."""

    def __init__(self, ranker: Ranker, rows: np.ndarray):
        super().__init__()
        self.ranker = ranker
        self.rows = tf.constant(rows, tf.int32)
        self.index = ranker.index
        if len(rows) < ranker.index.num_items:
            self.index = ranker.index.of_rows(tf.constant(rows, tf.int32))
        place_of_id = np.full(ranker.index.num_items + NUM_SPECIAL_IDS, -1, dtype=np.int32)
        place_of_id[rows + NUM_SPECIAL_IDS] = np.arange(len(rows))
        self.place_of_id = tf.constant(place_of_id)

    def __call__(self, asked, k):
        k = min(k, self.index.num_items)
        return self._found(asked.item_ids, asked.trained_rows, asked.excluded, k)

    @tf.function(input_signature=[_IDS, _ROWS, _IDS, _NUMBER])
    def _found(self, item_ids, users, excluded, k):
        queries = self.ranker.encode(item_ids, users).queries
        scores, places = self.index(queries, tf.gather(self.place_of_id, excluded), k)
        return scores, tf.gather(self.rows, tf.maximum(places, 0))


class ListSearch(tf.Module):
    """Search among a list per user, of internal ids."""

    def __init__(self, ranker: Ranker, lists: Histories):
        super().__init__()
        self.ranker = ranker
        self.lists = lists

    def __call__(self, asked, k):
        listed = self.lists.padded(asked.rows)
        k = min(k, listed.shape[1])
        return self._found(asked.item_ids, asked.trained_rows, asked.excluded, listed, k)

    @tf.function(input_signature=[_IDS, _ROWS, _IDS, _IDS, _NUMBER])
    def _found(self, item_ids, users, excluded, listed, k):
        rows = listed - NUM_SPECIAL_IDS
        scores = self.ranker.index.score(self.ranker.encode(item_ids, users).queries, rows)
        scores = tf.where(contains(excluded, listed), -float("inf"), scores)
        scores, order = tf.math.top_k(scores, k)
        return scores, tf.gather(rows, order, batch_dims=1)
