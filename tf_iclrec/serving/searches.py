"""Where a batch of users is searched for items: among some rows, or in a list of each user's."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.serving.ranker import Ranker
from tf_iclrec.serving.retrieval_index import best_but_excluded, best_of_scores, contains


class Asked(NamedTuple):
    """Users of a request.

    Attributes:
        rows: ``(batch,)`` their numbers in the request.
        item_ids: ``(batch, time)`` int32 their histories.
        trained_rows: ``(batch,)`` int32 their rows in the training log, -1 = not there.
        excluded: ``(batch, width)`` int32 items to leave out, of each.
        barred: ``(items,)`` bool rows of the catalogue to leave out, of all.
    """

    rows: np.ndarray
    item_ids: np.ndarray
    trained_rows: np.ndarray
    excluded: np.ndarray
    barred: np.ndarray


# From users and k to scores and rows of the catalogue.
Search = Callable[[Asked, int], tuple[tf.Tensor, tf.Tensor]]

_IDS = tf.TensorSpec([None, None], tf.int32)
_ROWS = tf.TensorSpec([None], tf.int32)
_BARRED = tf.TensorSpec([None], tf.bool)
_NUMBER = tf.TensorSpec([], tf.int32)


class IndexSearch(tf.Module):
    """Search in the whole catalogue, or among some rows of it, the same for all users.

    There is one graph for all choices of rows: another filter costs no tracing.
    """

    def __init__(self, ranker: Ranker):
        super().__init__()
        self.ranker = ranker

    def __call__(self, asked: Asked, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        if asked.barred.any():
            return self._of_others(*asked[1:], k)
        return self._of_all(*asked[1:-1], k)

    def among(self, rows: np.ndarray) -> Search:
        """A search that finds only some rows ``(n,)`` of the catalogue."""
        rows = tf.constant(rows, tf.int32)

        def search(asked, k):
            k = min(k, len(rows))
            return self._of_rows(*asked[1:], rows, k)

        return search

    @tf.function(autograph=False, input_signature=[_IDS, _ROWS, _IDS, _NUMBER])
    def _of_all(self, item_ids, users, excluded, k):
        queries = self.ranker.encode(item_ids, users).queries
        return self.ranker.index(queries, excluded - NUM_SPECIAL_IDS, k)

    @tf.function(autograph=False, input_signature=[_IDS, _ROWS, _IDS, _BARRED, _NUMBER])
    def _of_others(self, item_ids, users, excluded, barred, k):
        scores = self.ranker.index.score_all(self.ranker.encode(item_ids, users).queries)
        # Not as the exclusions of each user, which are sorted user by user.
        scores = tf.where(barred, -float("inf"), scores)
        return best_of_scores(scores, excluded - NUM_SPECIAL_IDS, k)

    @tf.function(autograph=False, input_signature=[_IDS, _ROWS, _IDS, _BARRED, _ROWS, _NUMBER])
    def _of_rows(self, item_ids, users, excluded, barred, rows, k):
        scores = self.ranker.index.score_rows(self.ranker.encode(item_ids, users).queries, rows)
        scores = tf.where(tf.gather(barred, rows), -float("inf"), scores)
        wanted = tf.minimum(k + tf.shape(excluded)[1], tf.size(rows))
        scores, places = tf.math.top_k(scores, wanted)
        return best_but_excluded(scores, tf.gather(rows, places), excluded - NUM_SPECIAL_IDS, k)


class ListSearch(tf.Module):
    """Search among a list per user, of internal ids."""

    def __init__(self, ranker: Ranker, lists: Histories):
        super().__init__()
        self.ranker = ranker
        self.lists = lists

    def __call__(self, asked: Asked, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        listed = self.lists.padded(asked.rows)
        k = min(k, listed.shape[1])
        return self._found(*asked[1:], listed, k)

    @tf.function(autograph=False, input_signature=[_IDS, _ROWS, _IDS, _BARRED, _IDS, _NUMBER])
    def _found(self, item_ids, users, excluded, barred, listed, k):
        rows = listed - NUM_SPECIAL_IDS
        scores = self.ranker.index.score(self.ranker.encode(item_ids, users).queries, rows)
        left_out = contains(excluded, listed) | tf.gather(barred, tf.maximum(rows, 0))
        scores = tf.where(left_out, -float("inf"), scores)
        scores, order = tf.math.top_k(scores, k)
        return scores, tf.gather(rows, order, batch_dims=1)
