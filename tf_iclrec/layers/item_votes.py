"""Scores of all items from those that a history holds, by a sparse table of item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
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
        num_entries: Entries of the table.

    Call arguments:
        item_ids: ``(batch, time)`` int32 internal ids. Special ids don't vote.
        weights: ``(batch, time)`` float32, how much each vote counts.

    Returns:
        ``(batch, num_items)`` float32; column ``j`` belongs to the internal id ``j + 3``.

    Example: the first item votes for the second, which votes for both others.
    >>> from scipy import sparse
    >>> votes = ItemVotes(num_items=3, num_entries=3)
    >>> votes.update(sparse.csr_array([[0, 2, 0], [1, 0, 4], [0, 0, 0]]))
    >>> votes(ops.array([[0, 3, 4]]), ops.array([[1.0, 1.0, 0.5]])).numpy().tolist()
    [[0.5, 2.0, 2.0]]
    """

    def __init__(self, num_items: int, num_entries: int, **kwargs):
        # Tables are added up in full precision, whatever models around compute in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_items = num_items
        self.num_entries = num_entries
        self.row_starts = self._add_table("row_starts", num_items + 1, "int32")
        self.columns = self._add_table("columns", num_entries, "int32")
        self.values = self._add_table("values", num_entries, "float32")
        self.built = True

    def _add_table(self, name: str, size: int, dtype: str) -> keras.Variable:
        return self.add_weight((size,), "zeros", dtype=dtype, trainable=False, name=name)

    def update(self, votes: sparse.csr_array) -> None:
        """Write the table, ``(num_items, num_items)`` with ``num_entries`` entries."""
        self.row_starts.assign(votes.indptr.astype(np.int32))
        self.columns.assign(votes.indices.astype(np.int32))
        self.values.assign(votes.data.astype(np.float32))

    def call(self, item_ids: KerasTensor, weights: KerasTensor) -> KerasTensor:
        votes = item_ids >= NUM_SPECIAL_IDS
        rows = tf.boolean_mask(item_ids, votes) - NUM_SPECIAL_IDS
        weights = tf.boolean_mask(ops.cast(weights, "float32"), votes)
        users = tf.cast(tf.where(votes)[:, 0], tf.int32)
        starts = tf.gather(self.row_starts.value, rows)
        lengths = tf.gather(self.row_starts.value, rows + 1) - starts

        # One entry after the other of all these rows: which row it is of, and its place.
        first = tf.cumsum(lengths, exclusive=True)
        total = tf.reduce_sum(lengths)
        # The first entry of a row is a step to it; rows without entries are stepped over.
        steps = tf.math.bincount(first, minlength=total + 1, maxlength=total + 1)
        row_of = tf.cumsum(steps)[:-1] - 1
        places = tf.range(total) + tf.gather(starts - first, row_of)

        batch = tf.shape(item_ids)[0]
        cells = tf.gather(users * self.num_items, row_of) + tf.gather(self.columns.value, places)
        counted = tf.gather(self.values.value, places) * tf.gather(weights, row_of)
        scores = tf.math.unsorted_segment_sum(counted, cells, batch * self.num_items)
        return tf.ensure_shape(tf.reshape(scores, (batch, self.num_items)), (None, self.num_items))

    def get_config(self):
        return super().get_config() | {
            "num_items": self.num_items,
            "num_entries": self.num_entries,
        }
