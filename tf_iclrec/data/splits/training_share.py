"""Training on some of the users, and evaluating all of them: what a model makes of less data."""

import dataclasses
from typing import Annotated

import numpy as np

from tf_iclrec.data.splits.split import Split
from tf_iclrec.settings import Setting, checked


@checked
def train_on_share(
    split: Split,
    training_share: Annotated[
        float,
        Setting(
            "share of the users whose sequences are trained on; all are evaluated",
            above=0,
            at_most=1,
        ),
    ] = 1.0,
    training_share_seed: Annotated[
        int,
        Setting("seed by which they are drawn; a smaller share is part of a larger", at_least=0),
    ] = 0,
) -> Split:
    """A split of whose users only some are trained on.

    The catalogue, and what is held out for validation and test, stay as they are. The model that
    ``--refit`` trains to be served is trained on everybody.

    Args:
        split: The log and what is held out.
        training_share: Share of the users with a training part who keep it; at least one does.
        training_share_seed: Says which. With the same seed, the users of a smaller share are among
            those of a larger one.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": "abcd", "bob": "bcde", "cat": "cdea"})
    >>> some = train_on_share(leave_one_out(log), 0.34)
    >>> some.num_trained, len(some.test.users)
    (1, 3)
    """
    if training_share == 1:
        return split
    users = np.flatnonzero(split.train.lengths)
    number = max(1, round(training_share * len(users)))
    drawn = np.random.default_rng(training_share_seed).permutation(users)[:number]
    ends = split.train.starts.copy()
    ends[drawn] = split.train.ends[drawn]
    return dataclasses.replace(
        split,
        train=dataclasses.replace(split.train, ends=ends),
        how=f"{split.how}; {training_share:g} of the users trained on",
    )
