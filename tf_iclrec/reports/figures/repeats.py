"""Interactions with an item that the user had before."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation.append import num_identical
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.evaluation.lists.value_counts import count_pairs
from tf_iclrec.reports.figures.user_parts import repeats_previous, user_parts


@dataclasses.dataclass(frozen=True)
class Repeats:
    """How users come back to their items.

    Attributes:
        repeated: Number of interactions with an item that the user had before.
        consecutive: Number of those with the item that the user had just before.
        copies: Number of those with an item that the user has at the very same time, too.
        users_of_items: ``(items,)`` int64 number of users that have each item.

    Example:
    >>> Repeats.of(Interactions.from_sequences({"ann": ["tea", "tea", "jam", "tea"]}))
    Repeats(repeated=2, consecutive=1, copies=0, users_of_items=array([1, 1]))
    """

    repeated: int
    consecutive: int
    copies: int
    users_of_items: np.ndarray

    @classmethod
    def of(cls, log: Interactions) -> Repeats:
        """Counted in one pass over the log."""
        repeated = consecutive = copies = 0
        users_of_items = np.zeros(log.items.size, dtype=np.int64)
        for part in user_parts(log):
            _, items, _ = count_pairs(part.owners, part.item_ids, log.items.size)
            users_of_items += np.bincount(items, minlength=log.items.size)
            repeated += part.num_actions - len(items)
            consecutive += int(repeats_previous(part.item_ids, part.offsets).sum())
            copies += num_identical(part)
        return cls(repeated, consecutive, copies, users_of_items[NUM_SPECIAL_IDS:])
