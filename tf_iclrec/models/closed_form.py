"""Recommenders that are computed from the histories in one go: yardsticks for those that learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.item_votes import ItemVotes
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.settings import Setting

if TYPE_CHECKING:
    from scipy import sparse

# Of an item with all interactions of a log. It has to stay below any vote that matters.
_POPULARITY_VOTE = 1e-6


class ClosedFormRecommender(Recommender):
    """Base of the models in which the items of a history vote for the next one.

    Nothing is trained: `from_histories` computes a sparse table of votes, item by item, which
    `tf_iclrec.layers.item_votes.ItemVotes` counts. Items that get equally many, such as none, are
    ordered by popularity; so are all items for a user of whom no item is known.

    A subclass says which table in `votes_of`, and in `voters` how much each item of a history
    counts. It names its settings as annotated parameters of its constructor.

    Args:
        num_items: Items, without the special ids.
        num_entries: Entries of the table.
        neighbours: Votes that each item has: the largest so many entries of its row of the
            table. Defaults to 500.
        max_length: Longest history that batches should hold. Defaults to 50.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side.

    Returns:
        Scores ``(batch, items)`` float32; column ``i`` belongs to the internal id ``i + 3``.
    """

    def __init__(
        self,
        num_items: int,
        num_entries: int,
        neighbours: Annotated[
            int, Setting("items that each item votes for, at most", at_least=1)
        ] = 500,
        max_length: Annotated[
            int, Setting("longest history the model sees, in items", at_least=1)
        ] = 50,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_items = num_items
        self.num_entries = num_entries
        self.neighbours = neighbours
        self.max_length = max_length
        self.popularity = self.add_weight(
            (num_items,), "zeros", dtype="float32", trainable=False, name="popularity"
        )
        self.votes = ItemVotes(num_items, num_entries)
        self.built = True
        self.compile()

    @classmethod
    def from_histories(
        cls, histories: Histories, num_items: int, **settings
    ) -> ClosedFormRecommender:
        """Compute a model.

        Args:
            histories: What the model may know, such as the training part of a log:
                ``split_histories(log, "train")``.
            num_items: Items, without the special ids.
            settings: Settings of the model.
        """
        histories = histories.joined()
        # A model without votes has the settings, defaults included.
        unfitted = cls(num_items, 0, **settings)
        votes = unfitted.votes_of(histories)
        model = cls(num_items, votes.nnz, **settings)
        model.votes.update(votes)
        model.popularity.assign(item_counts(histories, num_items))
        return model

    def votes_of(self, histories: Histories) -> sparse.csr_array:
        """The table of votes ``(items, items)``: row ``i`` those of item ``i``, without the
        special ids.

        Args:
            histories: One after the other in an array of their own.
        """
        raise NotImplementedError

    def voters(self, item_ids: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Who votes, and how much it counts.

        Args:
            item_ids: ``(batch, time)`` int32, 0 = padding.

        Returns:
            Ids ``(batch, time)`` int32 and their weights ``(batch, time)`` float32.
        """
        raise NotImplementedError

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        item_ids = ops.convert_to_tensor(inputs["item_ids"], dtype="int32")
        counts = ops.convert_to_tensor(self.popularity)
        share = counts / tf.maximum(tf.reduce_sum(counts), 1.0)
        return self.votes(*self.voters(item_ids)) + _POPULARITY_VOTE * share

    def get_config(self):
        return super().get_config() | {
            "num_items": self.num_items,
            "num_entries": self.num_entries,
            "neighbours": self.neighbours,
            "max_length": self.max_length,
        }


def item_counts(histories: Histories, num_items: int) -> np.ndarray:
    """``(items,)`` int64 interactions of each item in joined histories."""
    counts = np.bincount(histories.item_ids, minlength=num_items + NUM_SPECIAL_IDS)
    return counts[NUM_SPECIAL_IDS:]


def largest_of_rows(table: sparse.csr_array, most: int) -> sparse.csr_array:
    """Of each row the ``most`` largest entries by size, columns ascending.

    Example:
    >>> from scipy import sparse
    >>> largest_of_rows(sparse.csr_array([[1, 3, -2], [0, 5, 0]]), 2).toarray().tolist()
    [[0, 3, -2], [0, 5, 0]]
    """
    from scipy import sparse

    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-np.abs(table.data), rows))
    kept = order[np.arange(len(order)) - table.indptr[rows] < most]
    parts = table.data[kept], (rows[kept], table.indices[kept])
    return sparse.coo_array(parts, table.shape).tocsr()
