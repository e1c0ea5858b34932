"""Exact retrieval for models whose scores are no dot products."""

import tensorflow as tf

from tf_iclrec.serving.retrieval_index import best_of_scores


class ScoreIndex(tf.Module):
    """The counterpart of `RetrievalIndex` whose queries are the scores of all items themselves.

    Args:
        num_items: Size of the catalogue.

    Call arguments:
        queries: ``(batch, num_items)`` float32 scores.
        excluded: ``(batch, width)`` int32 rows that are never returned; a negative one stands for
            none.
        k: Scalar int32.

    Returns:
        As `RetrievalIndex`.

    Example:
    >>> scores, rows = ScoreIndex(3)(tf.constant([[1.0, 3.0, 2.0]]), tf.constant([[1]]), 1)
    >>> rows.numpy().tolist(), scores.numpy().tolist()
    ([[2]], [[2.0]])
    """

    def __init__(self, num_items: int):
        super().__init__()
        self.num_items = num_items

    def score_all(self, queries: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, items)`` of all rows."""
        return queries

    def score_rows(self, queries: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, n)`` of the same rows ``(n,)`` for all."""
        return tf.gather(queries, rows, axis=1)

    def score(self, queries: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, n)`` of some rows ``(batch, n)``; minus infinity for a negative row."""
        scores = tf.gather(queries, tf.maximum(rows, 0), batch_dims=1)
        return tf.where(rows < 0, -float("inf"), scores)

    def __call__(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return best_of_scores(queries, excluded, k)
