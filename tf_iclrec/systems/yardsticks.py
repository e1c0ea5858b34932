"""What a trained model has to beat: popularity, and the better of two that take seconds."""

from collections.abc import Mapping
from typing import Any

from tf_iclrec.data.splits.split import Split
from tf_iclrec.evaluation.report import evaluate_held_out
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.models.transitions import TransitionRecommender

# EASE inverts a matrix of items x items: at 6,000 items in a few seconds, at 12,000 in half a
# minute.
MAX_EASE_ITEMS = 6_000
# Both hold the votes of all items.
MAX_ITEMS = 100_000
_CHOSEN_BY = "NDCG@20"


def yardsticks(
    split: Split, evaluation: Mapping[str, Any], but: str = ""
) -> dict[str, dict[str, float]]:
    """Test metrics of popularity, and of that of `TransitionRecommender` and `EaseRecommender`
    which is better on the validation data, where the catalogue allows them.

    Args:
        split: The log.
        evaluation: Settings of `held_out_ranks`.
        but: Name of a system that is not wanted.

    Returns:
        Metrics by the name of the system.
    """
    popularity = PopularityRecommender.from_training_data(split)
    found = {"popularity": evaluate_held_out(popularity, split, ("test",), **evaluation)["test"]}
    num_items = split.interactions.num_items
    kinds = {"transitions": TransitionRecommender} if num_items <= MAX_ITEMS else {}
    if num_items <= MAX_EASE_ITEMS:
        kinds["ease"] = EaseRecommender
    metrics = {
        name: evaluate_held_out(kind.from_histories(split.train, num_items), split, **evaluation)
        for name, kind in kinds.items()
        if name != but
    }
    if metrics:
        best = max(metrics, key=lambda name: metrics[name]["valid"][_CHOSEN_BY])
        found[best] = metrics[best]["test"]
    return found
