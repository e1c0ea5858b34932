"""Whose histories, or which parts of them, a training goes over."""

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.tasks import NextItem, Task
from tf_iclrec.errors import UserError


def trainable_users(split: Split, task: Task | None = None) -> np.ndarray:
    """Rows of the users whose training part is long enough, int64.

    Raises:
        UserError: If there is none.
    """
    least = (task or NextItem()).min_length
    users = np.flatnonzero(split.train.lengths >= least)
    if not len(users):
        few = "two items" if least > 1 else "an item"
        raise UserError(f"No user has {few} in the training part: there is nothing to train on.")
    return users


def training_rows(
    split: Split, task: Task | None = None, window: int | None = None
) -> tuple[np.ndarray, Histories]:
    """What an epoch goes over, a row each.

    Args:
        split: The log, of which the training part is used.
        task: What is asked of the sequences.
        window: Longer histories have several rows, of so many items each: see `Histories.windows`.
            None: one row.

    Returns:
        The rows of their users in the log, ``(rows,)`` int64, and the ``rows`` histories.

    Raises:
        UserError: If no user has items enough to train on.
    """
    task = task or NextItem()
    users = trainable_users(split, task)
    histories = split.train.rows(users)
    if window is None:
        return users, histories
    windows, owners = histories.windows(window, task.lead)
    return users[owners], windows


def num_training_steps(
    split: Split, batch_size: int, task: Task | None = None, window: int | None = None
) -> int:
    """Batches of an epoch of `tf_iclrec.training_batches`; see `training_rows`."""
    return -(-len(training_rows(split, task, window)[0]) // batch_size)
