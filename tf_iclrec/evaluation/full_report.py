"""Everything that is said of a model: how often it is right, how sure that is, what its lists are
like, and for which users."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.evaluation.groups import GROUPINGS, Grouping
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.lists.recommended_lists import RecommendedLists
from tf_iclrec.evaluation.lists.registry import metrics_of_lists, values_of_lists
from tf_iclrec.evaluation.metrics import gains_of_ranks, metrics_of_ranks
from tf_iclrec.evaluation.report import held_out_answers
from tf_iclrec.evaluation.significance import confidence_interval

LIST_LENGTH = 20


def full_report(
    model: Callable[[dict[str, tf.Tensor]], tf.Tensor],
    split: Split,
    facts: ItemFacts,
    part: HeldOutPart = "test",
    k: int = LIST_LENGTH,
    groupings: Mapping[str, Grouping] = GROUPINGS,
    **settings: Any,
) -> dict[str, Any]:
    """Evaluate a recommender on what is held out; everybody's items are scored once.

    Args:
        model: A `Recommender`.
        split: The log and what is held out.
        facts: What is known of items; see `item_facts`. Lists of several models compare if it is
            the same.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists.
        groupings: Ways to group users.
        settings: Of `held_out_answers`.

    Returns:
        ``part`` with the metrics of ranks by name, ``"lists"`` with those of the lists,
        ``"intervals"`` with the 95% confidence interval ``[low, high]`` of each metric of ranks,
        and ``"groups"``: by grouping and group the number of ``"users"`` and the metrics of both
        kinds. Groups without users are not there, nor metrics that are not defined.
    """
    ranks, item_ids = held_out_answers(model, split, part, k, **settings)
    held_out = split.held_out(part)
    rows = sampled_rows(len(held_out.users), len(ranks))
    lists = RecommendedLists(item_ids, held_out.histories.rows(rows), facts)
    gains, values = gains_of_ranks(ranks), values_of_lists(lists)
    intervals = {
        name: list(confidence_interval(gain, held_out.users[rows])) for name, gain in gains.items()
    }

    def of_group(mask: np.ndarray) -> dict[str, float]:
        right = {name: float(gain[mask].mean()) for name, gain in gains.items()}
        return {"users": int(mask.sum()), **right, **metrics_of_lists(lists, values, mask)}

    groups = {}
    for name, grouping in groupings.items():
        masks = {group: mask[rows] for group, mask in grouping.masks(split, part).items()}
        found = {group: of_group(mask) for group, mask in masks.items() if mask.any()}
        if found:
            groups[name] = found
    return {
        part: metrics_of_ranks(ranks),
        "lists": metrics_of_lists(lists, values),
        "intervals": intervals,
        "groups": groups,
    }
