"""Whether two runs were trained on the same users and what they did."""

import numpy as np

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.errors import UserError

# Of the smaller run's users so many must be the other's, and of what these have in the smaller
# log so much must be in the other.
_LEAST = 0.1
_MOST_USERS = 10_000


def check_same_data(before: Split, after: Split) -> None:
    """Refuse to compare runs of which users mean different people.

    Ids that are numbers occur in all data sets, so what the users did is looked at too.

    Raises:
        UserError: If few users of the smaller log are in the other one, or few of their
            interactions.
    """
    small, large = sorted((before.interactions, after.interactions), key=lambda log: log.num_users)
    rows = sampled_rows(small.num_users, _MOST_USERS)
    others = Vocabulary(large.users).encode(small.users[rows]) - NUM_SPECIAL_IDS
    known = others >= 0
    if known.mean() < _LEAST:
        raise UserError(
            f"The runs can't be compared: of {small.num_users} users of one, {known.mean():.1%} "
            "are users of the other. They were trained on different data."
        )
    items = large.items.encode(small.items.ids)
    items = np.concatenate([np.zeros(NUM_SPECIAL_IDS, dtype=items.dtype), items])
    width = large.items.size
    pairs = [
        np.unique(_pairs(log, some, width, ids))
        for log, some, ids in ((small, rows[known], items), (large, others[known], None))
    ]
    shared = len(np.intersect1d(*pairs, assume_unique=True)) / min(map(len, pairs))
    if shared < _LEAST:
        raise UserError(
            "The runs can't be compared: they have user ids in common, but of what these users did "
            f"{shared:.1%} is the same. They were trained on different data."
        )


def _pairs(log, rows: np.ndarray, width: int, ids: np.ndarray | None) -> np.ndarray:
    """A number for each interaction of some users, by the place of the user and the item."""
    histories = Histories(log.item_ids, log.offsets[rows], log.offsets[rows + 1])
    items = histories.joined().item_ids
    items = (items if ids is None else ids[items]).astype(np.int64)
    return histories.owners * width + items
