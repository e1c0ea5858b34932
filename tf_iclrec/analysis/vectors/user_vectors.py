"""The vectors of users, and what each of them has most of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_iclrec.data.arrays import most_frequent
from tf_iclrec.data.batches import history_batches, sampled_rows
from tf_iclrec.data.by_row import by_row
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.lists.value_counts import value_counts
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.runs import Run


@dataclasses.dataclass(frozen=True)
class UserVectors:
    """Users of whom a main value is known: the value, such as a category, that most items of the
    history have.

    Attributes:
        last: ``(n, dim)`` float32 hidden state at the last item, by which items are recommended.
        mean: ``(n, dim)`` float32 mean hidden state, of which intents are clusters.
        values: ``(n,)`` int32 number of the main value in ``names``.
        names: ``(values,)`` the raw values.
    """

    last: np.ndarray
    mean: np.ndarray
    values: np.ndarray
    names: np.ndarray

    def having(self, names: Sequence[str], most: int | None = None) -> UserVectors:
        """Only the users with one of these main values.

        Args:
            names: Raw values.
            most: Of more users, so many are drawn, always the same ones.

        Raises:
            UserError: If no user has one of the values.
        """
        for name in names:
            if name not in self.names[self.values]:
                common = np.argsort(-np.bincount(self.values))[:3]
                raise UserError(
                    f"No user has {name!r} as main value; most have "
                    f"{', '.join(map(repr, self.names[common]))}."
                )
        return self._of(np.flatnonzero(np.isin(self.names[self.values], names)), most)

    def sample(self, most: int) -> UserVectors:
        """So many users at most, always the same ones."""
        return self._of(np.arange(len(self.values)), most)

    def _of(self, rows: np.ndarray, most: int | None) -> UserVectors:
        rows = rows[sampled_rows(len(rows), most)]
        return UserVectors(self.last[rows], self.mean[rows], self.values[rows], self.names)


def user_vectors(run: Run, by: str = "category", most_users: int | None = None) -> UserVectors:
    """The vectors of the users that a run was trained on, of the histories that it was trained on.

    Args:
        run: A finished run.
        by: An attribute or label of the items, or ``"provider"``.
        most_users: Of more users, so many are drawn, always the same ones.

    Raises:
        UserError: If the items have no such attribute, no user has a known value, or the model has
            no vectors of users.
    """
    run.interactions.catalogue.check_known(by)
    if not isinstance(run.model, SequentialRecommender):
        raise UserError(f"The model {run.config.model} has no vectors of users.")
    users = np.flatnonzero(run.split.train.lengths)
    users = users[sampled_rows(len(users), most_users)]
    attribute = run.interactions.known_of_items[by]
    values = main_values(run.split.train.rows(users), attribute.of_items)
    users, values = users[values >= 0], values[values >= 0]
    if not len(users):
        raise UserError(f"No user has an item of which {by} is known.")
    histories = run.split.train.rows(users)
    last, mean = by_row(
        lambda batch: [tf.cast(one, tf.float32) for one in run.model.encode(batch)],
        history_batches(run.split, users, histories, run.model.max_length),
    )
    return UserVectors(last, mean, values, attribute.vocabulary.ids)


def main_values(histories: Histories, of_items: np.ndarray) -> np.ndarray:
    """The value that most items of each history have; the first of those that as many have.

    Args:
        histories: ``n`` of them.
        of_items: ``(item vocabulary size,)`` internal id of the value by internal item id.

    Returns:
        ``(n,)`` int32 numbers of the values from 0; -1 where no item has a known one.

    Example:
    >>> histories = Histories(np.array([3, 4, 4, 5]), np.array([0, 3]), np.array([3, 4]))
    >>> main_values(histories, np.array([0, 1, 2, 3, 4, 1])).tolist()
    [1, -1]
    """
    ids = of_items[histories.joined().item_ids]
    rows, values = most_frequent(*value_counts(histories.owners, ids))
    found = np.full(len(histories.starts), -1, dtype=np.int32)
    found[rows] = values - NUM_SPECIAL_IDS
    return found
