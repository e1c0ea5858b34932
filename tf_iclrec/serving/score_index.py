"""Exact retrieval for models whose scores are no dot products."""

from __future__ import annotations

import tensorflow as tf

from tf_iclrec.serving.retrieval_index import best_of_scores


class ScoreIndex(tf.Module):
    """The counterpart of `RetrievalIndex` whose queries are the scores of all items themselves.

    Args:
        num_items: Size of the catalogue.
        rows: ``(n,)`` int32 rows of the catalogue to search among. Defaults to all.

    Call arguments:
        queries: ``(batch, num_items)`` float32 scores.
        excluded: ``(batch, width)`` int32 rows that are never returned, by their place among
            ``rows``; a negative one stands for none.
        k: Scalar int32.

    Returns:
        As `RetrievalIndex`.

    Example:
    >>> scores, rows = ScoreIndex(3)(tf.constant([[1.0, 3.0, 2.0]]), tf.constant([[1]]), 1)
    >>> rows.numpy().tolist(), scores.numpy().tolist()
    ([[2]], [[2.0]])
    """

    def __init__(self, num_items: int, rows: tf.Tensor | None = None):
        super().__init__()
        self.catalogue_size = num_items
        self.rows = rows

    @property
    def num_items(self) -> int:
        return self.catalogue_size if self.rows is None else self.rows.shape[0]

    def of_rows(self, rows: tf.Tensor) -> ScoreIndex:
        """An index of some rows ``(n,)`` int32 of the catalogue."""
        return ScoreIndex(self.catalogue_size, rows)

    def score_all(self, queries: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, items)`` of all rows."""
        return queries if self.rows is None else tf.gather(queries, self.rows, axis=1)

    def score(self, queries: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Scores ``(batch, n)`` of some rows ``(batch, n)``; minus infinity for a negative row."""
        scores = tf.gather(self.score_all(queries), tf.maximum(rows, 0), batch_dims=1)
        return tf.where(rows < 0, -float("inf"), scores)

    def __call__(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return best_of_scores(self.score_all(queries), excluded, k)
