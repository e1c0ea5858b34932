"""What a trained model has to beat: popularity, and the better of two that take seconds."""

from collections.abc import Mapping
from typing import Any

from tf_iclrec.data.splits.split import Split
from tf_iclrec.evaluation.report import evaluate_held_out
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.models.transitions import TransitionRecommender

# By name, and up to how many items: EASE inverts a matrix of items x items, in some five seconds
# at 6,000 and half a minute at 12,000.
_KINDS = {"transitions": (TransitionRecommender, 100_000), "ease": (EaseRecommender, 6_000)}
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
    metrics = {}
    for name, (kind, most_items) in _KINDS.items():
        if name != but and split.interactions.num_items <= most_items:
            model = kind.for_catalogue(split.catalogue)
            model.fit_histories(split.train)
            metrics[name] = evaluate_held_out(model, split, **evaluation)
    if metrics:
        best = max(metrics, key=lambda name: metrics[name]["valid"][_CHOSEN_BY])
        found[best] = metrics[best]["test"]
    return found
