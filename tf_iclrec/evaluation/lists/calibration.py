"""Whether a list has what its user is interested in, in the same proportions."""

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.evaluation.lists.value_counts import value_counts

_USERS_AT_ONCE = 8192
# How much of the history is in q', so that the result is finite.
_ALPHA = 0.01


def calibration(item_ids: np.ndarray, histories: Histories, of_items: np.ndarray) -> np.ndarray:
    """Divergence of each list's values from those of the user's history: ``sum(p * log(p / q'))``
    over the values, with their shares ``p`` of the history, ``q`` of the list, and ``q' = 0.99 *
    q + 0.01 * p`` (Steck, Calibrated Recommendations, RecSys 2018, Calibration Metrics,
    Kullback-Leibler).

    All items of a history count alike, and all places of a list. Items whose value is unknown are
    left out of both.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        histories: What each user had.
        of_items: ``(item vocabulary size,)`` int32 internal id of the value by internal item id, as
            `ItemAttribute.of_items`; below 3: unknown.

    Returns:
        ``(users,)`` float64 in nats: 0 where the proportions are the same, ``-log(0.01)`` at most;
        NaN where no value of the history, or none of the list, is known.

    Example: a list of the one value, of a user with both.
    >>> histories = Histories(np.array([3, 4]), np.array([0]), np.array([2]))
    >>> of_items = np.array([0, 1, 2, 3, 4])
    >>> calibration(np.array([[3, 4]]), histories, of_items).tolist()
    [0.0]
    >>> calibration(np.array([[3, 3]]), histories, of_items).round(3).tolist()
    [1.959]
    """
    blocks = [slice(at, at + _USERS_AT_ONCE) for at in range(0, len(item_ids), _USERS_AT_ONCE)]
    return np.concatenate(
        [_calibration(item_ids[one], histories.rows(one).joined(), of_items) for one in blocks]
    )


def _calibration(item_ids, histories, of_items):
    users = np.arange(len(item_ids))
    own = _shares(np.repeat(users, histories.lengths), of_items[histories.item_ids], len(users))
    listed = _shares(np.repeat(users, item_ids.shape[1]), of_items[item_ids.ravel()], len(users))
    width = int(of_items.max()) + 1
    keys, listed_keys = (rows * width + values for rows, values, _ in (own, listed))
    _, places, listed_places = np.intersect1d(
        keys, listed_keys, assume_unique=True, return_indices=True
    )
    rows, _, p = own
    q = np.zeros_like(p)
    q[places] = listed[2][listed_places]
    divergence = np.bincount(rows, p * np.log(p / ((1 - _ALPHA) * q + _ALPHA * p)), len(users))
    defined = np.isin(users, rows) & np.isin(users, listed[0])
    # The smallest are zero but for rounding.
    return np.where(defined, np.maximum(divergence, 0.0), np.nan)


def _shares(rows, values, num_rows):
    """Row, value and its share of the row's known values."""
    rows, values, counts = value_counts(rows, values)
    return rows, values, counts / np.bincount(rows, counts, num_rows)[rows]
