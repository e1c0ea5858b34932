"""Nothing is held out: for the model that is put to use."""

from typing import Annotated

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import HeldOut, Split, check_log
from tf_iclrec.settings import Setting


def everything(interactions: Interactions) -> Split:
    """Train on all interactions of all users.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam"]})
    >>> split = everything(log)
    >>> split.train.lengths.tolist(), len(split.valid.users), len(split.test.users)
    ([3, 1], 0, 0)
    """
    check_log(interactions)
    item_ids, offsets = interactions.item_ids, interactions.offsets
    train = Histories(item_ids, offsets[:-1], offsets[1:])
    nobody = np.zeros(0, dtype=np.int64)
    nothing = HeldOut(nobody, train.rows(nobody), item_ids[:0])
    return Split(interactions, train, valid=nothing, test=nothing, how="everything trained on")


def split_to_serve(
    split: Split,
    refit: Annotated[
        bool,
        Setting(
            "after the evaluation, train the model that is served on all interactions, for as many "
            "epochs as were best"
        ),
    ] = False,
) -> Split:
    """What the model that is served is trained on.

    Args:
        split: What the evaluated model was trained on.
        refit: Whether it is `everything` that was read for it, with users who could not be split.

    Example:
    >>> from tf_iclrec import leave_one_out
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"], "bob": ["jam"]})
    >>> split_to_serve(leave_one_out(log), refit=True).interactions.num_users
    2
    """
    if not refit:
        return split
    return everything(split.interactions if split.everybody is None else split.everybody)
