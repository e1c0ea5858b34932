"""Recommenders in which the items of a history vote for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.histories import Histories
from tf_iclrec.layers.item_votes import ItemVotes
from tf_iclrec.models.closed_form import ClosedFormRecommender
from tf_iclrec.settings import Setting, checked

if TYPE_CHECKING:
    from scipy import sparse

# Of an item with all the interactions of a log: below any vote that matters.
_POPULARITY_VOTE = 1e-6


class VotingRecommender(ClosedFormRecommender):
    """Base of the models that are a table of votes, item by item.

    A score is the sum of the votes of the history's items
    (`tf_iclrec.layers.item_votes.ItemVotes`). Among items with the same votes, such as none, the
    popular ones come first; so they do for a user of whom no item is known. A subclass computes
    the table in `votes_of`, and says in `voters` how much each item of a history counts.

    Args:
        num_items: Items, without the special ids.
        neighbours: How many items each item votes for, at most: the largest entries of its row of
            the table, by size. Defaults to 500.
        num_entries: Entries of the table, where a saved one is to be loaded.
        kwargs: See `ClosedFormRecommender`.
    """

    @checked
    def __init__(
        self,
        num_items: int,
        neighbours: Annotated[
            int, Setting("items that each item votes for, at most", at_least=1)
        ] = 500,
        num_entries: int | None = None,
        **kwargs,
    ):
        super().__init__(num_items, **kwargs)
        self.neighbours = neighbours
        self.votes = ItemVotes(num_items, num_entries)
        if num_entries is not None:
            self.votes.build()

    def fit_histories(self, histories: Histories) -> None:
        histories = histories.joined()
        self.votes.update(self.votes_of(histories))
        super().fit_histories(histories)

    def votes_of(self, histories: Histories) -> sparse.csr_array:
        """The table of votes ``(items, items)``, without the special ids: row ``i`` those of the
        item ``i``, `neighbours` of them at most.

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
            "neighbours": self.neighbours,
            "num_entries": self.votes.num_entries,
        }


def largest_of_rows(table: sparse.csr_array, most: int) -> sparse.csr_array:
    """Of each row the ``most`` largest entries by size, columns ascending.

    Example:
    >>> from scipy import sparse
    >>> largest_of_rows(sparse.csr_array([[1, 3, -2], [0, 5, 0]]), 2).toarray().tolist()
    [[0, 3, -2], [0, 5, 0]]
    """
    from scipy import sparse  # Here, because not every model needs it.

    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-np.abs(table.data), rows))
    kept = order[np.arange(len(order)) - table.indptr[rows] < most]
    parts = table.data[kept], (rows[kept], table.indices[kept])
    return sparse.coo_array(parts, table.shape).tocsr()
