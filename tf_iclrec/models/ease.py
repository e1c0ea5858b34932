"""EASE: every item from all others, by one ridge regression that has a closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError
from tf_iclrec.models.voting import VotingRecommender
from tf_iclrec.settings import Setting, checked

if TYPE_CHECKING:
    from scipy import sparse

# Rows of the inverse that are looked at together.
_ROWS = 512


@keras.saving.register_keras_serializable("tf_iclrec")
class EaseRecommender(VotingRecommender):
    """EASE (Steck, WWW 2019): what a user has, as a linear function of what else the user has.

    ``X`` is the matrix of users and items, 1 where the user has the item. The item-by-item
    weights ``B`` with the least ``|X - X B|² + l2 |B|²`` and a diagonal of 0 are
    (Sec. 3.1)::

        P = (XᵀX + l2 I)⁻¹        B[i, j] = -P[i, j] / P[j, j]        B[j, j] = 0

    and a user's scores are ``x B``. The order of a history does not matter, nor how often an item
    is in it.

    Computing it takes memory for one matrix of items x items in float32 (586 MB for 12,101
    items, 10 GB for 50,000) and time that grows with the third power of their number (32 s of one
    core for 12,101, 5 s for 6,000). Dense, ``B`` would take as much in each saved model; kept are
    the largest entries of each row, `neighbours` of them: at 500 it is 48 MB, and the ranking of
    Beauty's and MovieLens 100K's validation items is as good (NDCG@20 within 0.6%).

    Args:
        num_items: Items, without the special ids.
        l2: ``λ``. Defaults to 100, in the middle: Beauty and Toys would have a little less,
            MovieLens 100K 200 to 300.
        kwargs: See `VotingRecommender`.

    Example: who has tea has jam.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences(
    ...     {"ann": ["jam", "tea", "rye", "oil"], "bob": ["tea", "jam", "rye", "oil"]})
    >>> model = EaseRecommender(log.num_items, l2=1.0)
    >>> model.fit_histories(leave_one_out(log).train)
    >>> scores = model({"item_ids": log.items.encode(["tea"])[None]})
    >>> str(log.items.ids[scores.numpy().argmax()])
    'jam'
    """

    @checked
    def __init__(
        self,
        num_items: int,
        l2: Annotated[
            float, Setting("how far the weights are held small", above=0, option="ease_l2")
        ] = 100.0,
        **kwargs,
    ):
        super().__init__(num_items, **kwargs)
        self.l2 = l2

    def votes_of(self, histories: Histories) -> sparse.csr_array:
        try:
            inverse = regularized_inverse(histories, self.num_items, self.l2)
        except MemoryError as error:
            raise UserError(
                f"EASE needs memory for a matrix of items x items, "
                f"{4e-9 * self.num_items**2:.0f} GB for these {self.num_items} items: prepare the "
                "log with fewer, rare ones left out, or take another model."
            ) from error
        return largest_weights(inverse, self.neighbours)

    def voters(self, item_ids: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        # Each item once.
        item_ids = tf.sort(item_ids, axis=1)
        repeated = item_ids[:, 1:] == item_ids[:, :-1]
        return item_ids, 1.0 - tf.cast(tf.pad(repeated, [[0, 0], [1, 0]]), tf.float32)

    def get_config(self):
        return super().get_config() | {"l2": self.l2}


def regularized_inverse(histories: Histories, num_items: int, l2: float) -> np.ndarray:
    """``(XᵀX + l2 I)⁻¹``.

    Returns:
        ``(items, items)`` float32, the lower triangle alone: above the diagonal stands anything.

    Raises:
        UserError: If ``l2`` is lost in rounding.
    """
    from scipy import linalg, sparse

    distinct = histories.distinct()
    ends = np.append(0, distinct.ends)
    ones = np.ones(len(distinct.item_ids), dtype=np.float32)
    shape = (len(distinct.ends), num_items)
    users = sparse.csr_array((ones, distinct.item_ids - NUM_SPECIAL_IDS, ends), shape)
    # Overwritten twice, so that there is one large matrix at a time.
    matrix = (users.T @ users).toarray(order="F")
    matrix[np.diag_indices(num_items)] += l2
    factor, failed = linalg.lapack.spotrf(matrix, lower=True, clean=False, overwrite_a=True)
    if failed:
        raise UserError(f"EASE can't be computed with --ease-l2 {l2:g}: give more, such as 100.")
    inverse, _ = linalg.lapack.spotri(factor, lower=True, overwrite_c=True)
    return inverse


def largest_weights(inverse: np.ndarray, most: int) -> sparse.csr_array:
    """``B`` of EASE from the lower triangle of ``P``: of each row the largest entries by size.

    Example:
    >>> largest_weights(np.array([[2.0, 9.0], [-1.0, 4.0]]), 1).toarray().tolist()
    [[0.0, 0.25], [0.5, 0.0]]
    """
    from scipy import sparse

    size = len(inverse)
    most = min(most, size - 1)
    if not most:  # One item has nothing to be told from.
        return sparse.csr_array((size, size), dtype=np.float32)
    diagonal = inverse.diagonal()
    columns = np.empty((size, most), dtype=np.int32)
    values = np.empty((size, most), dtype=np.float32)
    for first in range(0, size, _ROWS):
        rows = np.arange(first, min(first + _ROWS, size))
        left, right = inverse[rows], inverse[:, rows].T
        block = np.where(rows[:, np.newaxis] >= np.arange(size), left, right) / -diagonal
        block[rows - first, rows] = 0
        best = np.argpartition(np.abs(block), size - most, axis=1)[:, size - most :]
        columns[rows] = np.sort(best, axis=1)
        values[rows] = np.take_along_axis(block, columns[rows], axis=1)
    starts = np.arange(size + 1) * most
    return sparse.csr_array((values.ravel(), columns.ravel(), starts), (size, size))
