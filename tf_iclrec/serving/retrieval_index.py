"""Exact retrieval: the index of tensorflow-recommenders, with exclusions of any number."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tf_iclrec.errors import UserError

# Rows of the index begin at multiples of so many numbers; at odd places the product with a
# query takes half as long again.
_ALIGNMENT = 8
# With more exclusions it is cheaper to mark them among the scores of all items.
_FEW = 512


class RetrievalIndex(tf.Module):
    """The best of a catalogue for query vectors, without what is excluded.

    The search is `BruteForce` of tensorflow-recommenders. Its own ``query_with_exclusions``
    needs the number of exclusions when the graph is built, and returns excluded items with a
    lower score when too few others are left. So the index is asked for as many more items as
    may have to go, and they are taken out here; unless they are very many.

    Args:
        vectors: ``(items, dim)`` float32; the score of an item is its dot product with the
            query.

    Call arguments:
        queries: ``(batch, dim)`` float32.
        excluded: ``(batch, width)`` int32 rows of the catalogue; a negative one stands for
            none. Any width, 0 too.
        k: Scalar int32, at most the size of the catalogue.

    Returns:
        Scores ``(batch, k)`` float32, best first, and rows ``(batch, k)`` int32. Where fewer
        than ``k`` are left: minus infinity and -1. Of equal scores the lower row comes first.

    Example:
    >>> index = RetrievalIndex(np.array([[1.0], [2.0], [3.0]], dtype="float32"))
    >>> scores, rows = index(tf.constant([[1.0]]), tf.constant([[2, -1]]), 2)
    >>> rows.numpy().tolist(), scores.numpy().tolist()
    ([[1, 0]], [[2.0, 1.0]])
    """

    def __init__(self, vectors: np.ndarray | tf.Tensor):
        super().__init__()
        with _keras_2():
            try:
                from tensorflow_recommenders.layers.factorized_top_k import BruteForce
            except ImportError as error:
                raise UserError(
                    "Serving needs tensorflow-recommenders: pip install --no-deps "
                    "'tensorflow-recommenders>=0.7.7,<0.8'."
                ) from error
            search = BruteForce()
            search.index(_aligned(tf.convert_to_tensor(vectors)))
        # Only its weights are part of the module: of a Keras 2 model more than them would be
        # saved.
        self.row_numbers, self.vectors = search.weights
        self._search = search.__call__

    @property
    def num_items(self) -> int:
        return self.vectors.shape[0]

    def score_all(self, queries: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, items)`` of all rows for each query ``(batch, dim)``."""
        return tf.matmul(_aligned(queries), self.vectors, transpose_b=True)

    def score_rows(self, queries: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, n)`` of the same rows ``(n,)`` for each query ``(batch, dim)``."""
        return tf.matmul(_aligned(queries), tf.gather(self.vectors, rows), transpose_b=True)

    def score(self, queries: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, n)`` of some rows ``(batch, n)`` for each query ``(batch, dim)``;
        minus infinity for a negative row."""
        vectors = tf.gather(self.vectors, tf.maximum(rows, 0))
        scores = tf.einsum("bd,bnd->bn", _aligned(queries), vectors)
        return tf.where(rows < 0, -float("inf"), scores)

    def __call__(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _best_of(
            lambda wanted: self._search(_aligned(queries), k=wanted),
            lambda: self.score_all(queries),
            self.num_items,
            excluded,
            k,
        )


def best_of_scores(
    scores: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The best ``k`` of all rows by their scores ``(batch, items)``, minus infinity for rows that
    do not count; otherwise as `best_but_excluded`."""
    return _best_of(
        lambda wanted: tf.math.top_k(scores, wanted),
        lambda: scores,
        tf.shape(scores)[1],
        excluded,
        k,
    )


def _best_of(
    search: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    score_all: Callable[[], tf.Tensor],
    num_items: int | tf.Tensor,
    excluded: tf.Tensor,
    k: int | tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `best_but_excluded`, of a search for as many more or, where those are very many, of the
    scores of all."""

    def of_a_few_more():
        wanted = tf.minimum(k + tf.shape(excluded)[1], num_items)
        return best_but_excluded(*search(wanted), excluded, k)

    return tf.cond(
        tf.shape(excluded)[1] <= _FEW,
        of_a_few_more,
        lambda: _best_unmarked(score_all(), excluded, k),
    )


def _best_unmarked(
    scores: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `best_of_scores`, with the time of a copy of all scores, whatever the exclusions."""
    queries = tf.broadcast_to(tf.range(tf.shape(excluded)[0])[:, tf.newaxis], tf.shape(excluded))
    # The lesser of two: what stands for none changes nothing.
    marks = tf.where(excluded < 0, float("inf"), -float("inf"))
    places = tf.stack([queries, tf.maximum(excluded, 0)], axis=-1)
    scores, rows = tf.math.top_k(tf.tensor_scatter_nd_min(scores, places, marks), k)
    return scores, tf.where(tf.math.is_inf(scores), -1, rows)


def best_but_excluded(
    scores: tf.Tensor, rows: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The best ``k`` of found rows.

    Args:
        scores: ``(batch, n)`` float32.
        rows: ``(batch, n)`` int32.
        excluded: ``(batch, width)`` int32 rows that do not count.
        k: Scalar int32, at most ``n``.

    Returns:
        Scores and rows ``(batch, k)``, best first; minus infinity and -1 where fewer are left.
    """
    scores, order = tf.math.top_k(tf.where(contains(excluded, rows), -float("inf"), scores), k=k)
    rows = tf.gather(rows, order, batch_dims=1)
    return scores, tf.where(tf.math.is_inf(scores), -1, rows)


def contains(values: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Whether each entry of ``wanted`` ``(batch, n)`` int32, not negative, is among the same
    row's ``values`` ``(batch, width)`` int32.

    Example:
    >>> contains(tf.constant([[4, 7]]), tf.constant([[7, 5]])).numpy().tolist()
    [[True, False]]
    """
    # A last column, so that there is one to find when there are no values, or no rows.
    last = values.dtype.max
    ordered = tf.pad(tf.sort(values, axis=1), [[0, 0], [0, 1]], constant_values=last)
    places = tf.searchsorted(ordered, wanted)
    return tf.gather(ordered, places, batch_dims=1) == wanted


def _aligned(vectors: tf.Tensor) -> tf.Tensor:
    return tf.pad(vectors, [[0, 0], [0, -vectors.shape[1] % _ALIGNMENT]])


# Held while `tf.keras` is another one: a second thread would put that one back.
_REPLACED = threading.RLock()


@contextlib.contextmanager
def _keras_2() -> Iterator[None]:
    """Keras 2 as ``tf.keras``: tensorflow-recommenders is written for it. Needed where it is
    imported and where its layers are made; calling them is plain TensorFlow."""
    from tf_keras.api._v2 import keras as keras_2

    with _REPLACED:
        keras_3 = tf.keras
        tf.keras = keras_2
        try:
            yield
        finally:
            tf.keras = keras_3
