"""What a trained model has to beat: popularity, and the better of two that take seconds."""

from collections.abc import Mapping
from typing import Any

from tf_iclrec.data.splits.split import Split
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.held_out import evaluate_held_out
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.models.transitions import TransitionRecommender

# By name, and up to how many items: EASE inverts a matrix of items x items, in some five seconds
# at 6,000 and half a minute at 12,000.
_KINDS = {"transitions": (TransitionRecommender, 100_000), "ease": (EaseRecommender, 6_000)}


def yardsticks(
    split: Split, facts: ItemFacts, evaluation: Mapping[str, Any], but: str = ""
) -> dict[str, dict[str, dict[str, float]]]:
    """Test metrics of popularity, and of that of `TransitionRecommender` and `EaseRecommender`
    which is better on the validation data, where the catalogue allows them.

    Args:
        split: The log.
        facts: What is known of items, for the metrics of lists.
        evaluation: Settings of `held_out_answers`.
        but: Name of a system that is not wanted.

    Returns:
        By the name of the system ``"test"``, the metrics of ranks by name, ``"lists"`` and
        ``"intervals"``.
    """
    models = {"popularity": PopularityRecommender.from_training_data(split)}
    rivals = {}
    for name, (kind, most_items) in _KINDS.items():
        if name != but and split.interactions.num_items <= most_items:
            model = kind.for_catalogue(split.catalogue)
            model.fit_histories(split.train)
            rivals[name] = model
    if rivals:
        valid = {
            name: evaluate_held_out(model, split, ("valid",), **evaluation)["valid"]
            for name, model in rivals.items()
        }
        best = max(valid, key=lambda name: valid[name][MAIN_METRIC])
        models[best] = rivals[best]
    reports = {
        name: full_report(model, split, facts, groupings={}, **evaluation)
        for name, model in models.items()
    }
    return {
        name: {part: report[part] for part in ("test", "lists", "intervals")}
        for name, report in reports.items()
    }
