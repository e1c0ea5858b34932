"""What was recommended to whom."""

import dataclasses

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.evaluation.lists.item_facts import ItemFacts


@dataclasses.dataclass(frozen=True)
class RecommendedLists:
    """The best items of each of some users, and what is known of both.

    Attributes:
        item_ids: ``(users, k)`` int32 internal ids, best first, 0 where nothing was left.
        histories: What each user had.
        items: What is known of the items.
    """

    item_ids: np.ndarray
    histories: Histories
    items: ItemFacts

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return len(self.items.training_counts)
