"""Test items that no model can find."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.arrays import blocks_of_rows
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

_AT_ONCE = 1 << 21


@dataclasses.dataclass(frozen=True)
class HeldOutFigures:
    """Test items of a split.

    Attributes:
        number: Of test items.
        untrained: Number of those that occur nowhere in the training part.
        seen: Number of those that are in the history before them, which an evaluation that leaves
            the user's own items out never ranks.

    Example:
    >>> from tf_iclrec.data.interactions import Interactions
    >>> from tf_iclrec.data.splits.leave_one_out import leave_one_out
    >>> sequences = {"ann": ["tea", "jam", "tea"], "bob": ["tea", "jam", "oil"]}
    >>> log = Interactions.from_sequences(sequences)
    >>> HeldOutFigures.of(leave_one_out(log))
    HeldOutFigures(number=2, untrained=1, seen=1)
    """

    number: int
    untrained: int
    seen: int

    @classmethod
    def of(cls, split: Split) -> HeldOutFigures:
        """Counted in passes over the log, a part at a time."""
        histories, targets = split.test.histories, split.test.target_ids
        untrained = int((split.training_counts[targets - NUM_SPECIAL_IDS] == 0).sum())
        offsets = np.concatenate([[0], np.cumsum(histories.lengths)])
        seen = 0
        for rows in blocks_of_rows(offsets, _AT_ONCE):
            some = histories.rows(rows)
            found = some.joined().item_ids == np.repeat(targets[rows], some.lengths)
            number = np.concatenate([[0], np.cumsum(found)])
            ends = np.cumsum(some.lengths)
            seen += int((number[ends] > number[ends - some.lengths]).sum())
        return cls(len(targets), untrained, seen)
