"""Scores of all items from those that a history holds, by a sparse table of item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

if TYPE_CHECKING:
    from scipy import sparse


@keras.saving.register_keras_serializable("tf_iclrec")
class ItemVotes(keras.layers.Layer):
    """Each item of a history votes for others; the votes are counted.

    ``score[u, j] = Σ_t weight[u, t] · votes[item[u, t], j]``. The table is sparse, kept row by row
    (CSR): where the rows start, the columns and the values. They are weights that no gradient
    touches, so that a saved model holds them. The work of a call grows with the entries of the
    rows that the histories name, not with the table.

    Args:
        num_items: Items, without the special ids.
        num_entries: Entries of the table. Defaults to None: the first `update` tells.

    Call arguments:
        item_ids: ``(batch, time)`` int32 internal ids. Special ids don't vote.
        weights: ``(batch, time)`` float32, how much each vote counts.

    Returns:
        ``(batch, num_items)`` float32; column ``j`` belongs to the internal id ``j + 3``.

    Example: the first item votes for the second, which votes for both others.
    >>> from scipy import sparse
    >>> votes = ItemVotes(num_items=3)
    >>> votes.update(sparse.csr_array([[0, 2, 0], [1, 0, 4], [0, 0, 0]]))
    >>> votes(ops.array([[0, 3, 4]]), ops.array([[1.0, 1.0, 0.5]])).numpy().tolist()
    [[0.5, 2.0, 2.0]]
    """

    def __init__(self, num_items: int, num_entries: int | None = None, **kwargs):
        # Votes are added up in full precision, whatever models around compute in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_items = num_items
        self.num_entries = num_entries

    def build(self, *shapes):
        if self.num_entries is None:
            raise ValueError("There are no votes to count: call update() before.")
        self.row_starts = self._add_table("row_starts", self.num_items + 1, "int32")
        self.columns = self._add_table("columns", self.num_entries, "int32")
        self.values = self._add_table("values", self.num_entries, "float32")

    def _add_table(self, name: str, size: int, dtype: str) -> keras.Variable:
        return self.add_weight((size,), "zeros", dtype=dtype, trainable=False, name=name)

    def update(self, votes: sparse.csr_array) -> None:
        """Write the table ``(num_items, num_items)``. Its number of entries is fixed from then on.

        Raises:
            ValueError: If the layer has another number of entries.
        """
        if self.built and votes.nnz != self.num_entries:
            raise ValueError(
                f"There are {self.num_entries} votes here already, and {votes.nnz} can't take "
                "their place: make a new model."
            )
        if not self.built:
            self.num_entries = votes.nnz
            self.build()
        self.row_starts.assign(votes.indptr)
        self.columns.assign(votes.indices)
        self.values.assign(votes.data)

    def call(self, item_ids: KerasTensor, weights: KerasTensor) -> KerasTensor:
        votes = item_ids >= NUM_SPECIAL_IDS
        rows = tf.boolean_mask(item_ids, votes) - NUM_SPECIAL_IDS
        weights = tf.boolean_mask(ops.cast(weights, "float32"), votes)
        users = tf.cast(tf.where(votes)[:, 0], tf.int32)
        columns, values = self._rows_of(self.columns, rows), self._rows_of(self.values, rows)
        lengths = columns.row_lengths()
        # Each score has a place in one flat array, user after user.
        places = tf.repeat(users * self.num_items, lengths) + columns.flat_values
        counted = tf.repeat(weights, lengths) * values.flat_values
        shape = (tf.shape(item_ids)[0], self.num_items)
        scores = tf.math.unsorted_segment_sum(counted, places, shape[0] * shape[1])
        return tf.ensure_shape(tf.reshape(scores, shape), (None, self.num_items))

    def _rows_of(self, entries: keras.Variable, rows: KerasTensor) -> tf.RaggedTensor:
        row_starts = self.row_starts.value
        table = tf.RaggedTensor.from_row_splits(entries.value, row_starts, validate=False)
        return tf.gather(table, rows)

    def get_config(self):
        return super().get_config() | {
            "num_items": self.num_items,
            "num_entries": self.num_entries,
        }
