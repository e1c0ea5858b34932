"""Leave-one-out: a user's last item is for the test, the one before for validation."""

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import HeldOut, Split, check_log
from tf_iclrec.errors import UserError

MIN_LENGTH = 3


def leave_one_out(interactions: Interactions) -> Split:
    """Hold out the last two items of each user (IPSRec Sec. 3.3).

    Users with fewer than three items can't be split and are left out.

    Args:
        interactions: The log.

    Raises:
        UserError: If no user is left.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "egg", "oil"], "bob": ["egg"]})
    >>> split = leave_one_out(log)
    >>> split.interactions.users.tolist(), split.train.lengths.tolist()
    (['ann'], [2])
    >>> split.interactions.items.decode(split.test.target_ids).tolist()
    ['oil']
    """
    check_log(interactions)
    long_enough = interactions.lengths >= MIN_LENGTH
    if not long_enough.any():
        raise UserError(
            f"None of the {interactions.num_users} users has the {MIN_LENGTH} items that "
            "training, validation and test need."
        )
    short = int((~long_enough).sum())
    everybody = interactions if short else None
    if short:
        interactions = interactions.select(np.repeat(long_enough, interactions.lengths))
    item_ids = interactions.item_ids
    starts, ends = interactions.offsets[:-1], interactions.offsets[1:]
    users = np.arange(interactions.num_users)

    def but_for_last(count: int) -> Histories:
        return Histories(item_ids, starts, ends - count)

    return Split(
        interactions,
        train=but_for_last(2),
        valid=HeldOut(users, but_for_last(2), item_ids[ends - 2]),
        test=HeldOut(users, but_for_last(1), item_ids[ends - 1]),
        how="each user's last item for the test, the one before for validation",
        notes=(f"Left out, with too few items to be split: {short} users.",) * bool(short),
        everybody=everybody,
    )
