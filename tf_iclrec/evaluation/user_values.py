"""What a recommender did for each user: the numbers that all tables are means of."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.evaluation.held_out import held_out_answers
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.lists.recommended_lists import RecommendedLists
from tf_iclrec.evaluation.lists.registry import metrics_of_lists, values_of_lists
from tf_iclrec.evaluation.metrics import gains_of_ranks

LIST_LENGTH = 20


@dataclasses.dataclass(frozen=True)
class UserValues:
    """Metrics of each evaluated held-out item.

    Attributes:
        rows: ``(n,)`` numbers in the held-out part.
        users: ``(n,)`` rows of their users in the log.
        ranks: ``(n,)`` int32, 1 = best.
        lists: What was recommended.
        of_ranks: By name, such as ``"NDCG@20"``, ``(n,)`` float32.
        of_lists: By name, such as ``"Novelty@20"``, ``(n,)`` float64; NaN where not defined.
    """

    rows: np.ndarray
    users: np.ndarray
    ranks: np.ndarray
    lists: RecommendedLists
    of_ranks: Mapping[str, np.ndarray]
    of_lists: Mapping[str, np.ndarray]

    def of_group(self, mask: np.ndarray) -> dict[str, float]:
        """The metrics of those in a mask ``(n,)`` bool, and how many ``"users"`` they are of."""
        right = {name: float(gain[mask].mean()) for name, gain in self.of_ranks.items()}
        lists = metrics_of_lists(self.lists, self.of_lists, mask)
        return {"users": len(np.unique(self.users[mask])), **right, **lists}


def evaluate_users(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    facts: ItemFacts,
    part: HeldOutPart = "test",
    k: int = LIST_LENGTH,
    **settings: Any,
) -> UserValues:
    """Evaluate a recommender on what is held out; everybody's items are scored once.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        facts: What is known of items; see `item_facts`.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists.
        settings: Of `held_out_answers`.
    """
    ranks, item_ids = held_out_answers(model, split, part, k, **settings)
    held_out = split.held_out(part)
    rows = sampled_rows(len(held_out.users), len(ranks))
    lists = RecommendedLists(item_ids, held_out.histories.rows(rows), facts)
    users = held_out.users[rows]
    return UserValues(rows, users, ranks, lists, gains_of_ranks(ranks), values_of_lists(lists))
