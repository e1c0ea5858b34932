"""The metrics of recommended lists, by name."""

import re

import numpy as np

from tf_iclrec.evaluation.lists.calibration import calibration
from tf_iclrec.evaluation.lists.coverage import coverage
from tf_iclrec.evaluation.lists.gini import gini
from tf_iclrec.evaluation.lists.novelty import novelty
from tf_iclrec.evaluation.lists.recommended_lists import RecommendedLists
from tf_iclrec.evaluation.lists.value_diversity import value_diversity
from tf_iclrec.evaluation.lists.vector_diversity import vector_diversity

# A number of all lists together, from their items ``(users, k)`` and the number of items.
OF_ALL = {"Coverage": coverage, "Gini": gini}
# A number of each list, ``(users,)``, or None where it can't be told.
OF_EACH = {
    "Novelty": lambda lists: novelty(lists.item_ids, lists.items.training_counts),
    "Diversity": lambda lists: (
        None
        if lists.items.vectors is None
        else vector_diversity(lists.item_ids, lists.items.vectors)
    ),
}
# A number of each list by one thing that is known of items, named after it: ProviderDiversity.
OF_VALUES = {
    "Diversity": lambda lists, of_items: value_diversity(of_items[lists.item_ids]),
    "Calibration": lambda lists, of_items: calibration(lists.item_ids, lists.histories, of_items),
}


def values_of_lists(lists: RecommendedLists) -> dict[str, np.ndarray]:
    """The metrics that each list has for itself, by name.

    Returns:
        ``(users,)`` float64 each; NaN where one is not defined.
    """
    k = lists.item_ids.shape[1]
    values = {f"{name}@{k}": metric(lists) for name, metric in OF_EACH.items()}
    for known, of_items in lists.items.values.items():
        for name, metric in OF_VALUES.items():
            values[f"{_in_capitals(known)}{name}@{k}"] = metric(lists, of_items)
    return {name: value for name, value in values.items() if value is not None}


def metrics_of_lists(
    lists: RecommendedLists, values: dict[str, np.ndarray], users: np.ndarray | slice = slice(None)
) -> dict[str, float]:
    """All metrics of the lists of some users.

    Args:
        lists: Of all users.
        values: What `values_of_lists` gives for them.
        users: Which of them, as NumPy indexes.

    Returns:
        By name, such as ``"Coverage@20"``: numbers of all lists together, and means over the users
        of whom one is defined. Without those that are defined for nobody.
    """
    item_ids = lists.item_ids[users]
    metrics = {
        f"{name}@{item_ids.shape[1]}": metric(item_ids, lists.num_items)
        for name, metric in OF_ALL.items()
    }
    for name, value in values.items():
        defined = value[users][~np.isnan(value[users])]
        metrics[name] = float(defined.mean()) if len(defined) else np.nan
    return {name: value for name, value in metrics.items() if not np.isnan(value)}


def _in_capitals(name: str) -> str:
    """As metrics are written.

    Example:
    >>> _in_capitals("provider"), _in_capitals("main_category")
    ('Provider', 'MainCategory')
    """
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))
