"""Everything that is said of a model: how often it is right, how sure that is, what its lists are
like, and for which users."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.evaluation.groups import GROUPINGS, Grouping, checked_masks
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.lists.registry import metrics_of_lists
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.significance import confidence_interval
from tf_iclrec.evaluation.user_values import LIST_LENGTH, evaluate_users


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
        ``"intervals"`` with the 95% confidence interval ``[low, high]`` of each metric of ranks
        that varies between users,
        and ``"groups"``: by grouping and group the number of ``"users"`` and the metrics of both
        kinds. Groups without users are not there, nor metrics that are not defined.
    """
    found = evaluate_users(model, split, facts, part, k, **settings)
    groups = {}
    for name, grouping in groupings.items():
        masks = checked_masks(name, grouping, split, part)
        masks = {group: mask[found.rows] for group, mask in masks.items()}
        of_masks = {group: found.of_group(mask) for group, mask in masks.items() if mask.any()}
        if of_masks:
            groups[name] = of_masks
    intervals = {
        name: confidence_interval(gain, found.users) for name, gain in found.of_ranks.items()
    }
    return {
        part: metrics_of_ranks(found.ranks),
        "lists": metrics_of_lists(found.lists, found.of_lists),
        "intervals": {
            name: list(ends) for name, ends in intervals.items() if not math.isnan(ends[0])
        },
        "groups": groups,
    }
