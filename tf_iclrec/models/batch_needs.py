"""What a model wants of the batches it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_iclrec.models.sequential_recommender import SequentialRecommender


def batch_settings(model: SequentialRecommender) -> dict[str, Any]:
    """The arguments of `tf_iclrec.training_batches` with which batches have all that the encoder
    and the objectives read, but for ``max_length`` and the views, of which there are many kinds."""
    return {
        "task": model.encoder.task,
        "negatives": model.needs_negatives,
        "futures": model.needs_futures,
        "sampling": model.sampling,
    }


def check_batch(model: SequentialRecommender, batch: Mapping[str, Any]) -> None:
    """Make sure that a batch has what the objectives read.

    Raises:
        ValueError: If it has not; the message says how to make batches that have.
    """
    of_model = "model=model"
    for needed, name, what, how in (
        (
            model.needs_futures,
            "future_item_ids",
            "the past of a sequence with its future",
            of_model,
        ),
        (model.needs_views, "view_item_ids", "views of a sequence", "views=ViewRatios()"),
        (model.needs_negatives, "negative_ids", "items with some that were not chosen", of_model),
        (model.sampling, "sampled_ids", "items with sampled ones", of_model),
    ):
        if needed and name not in batch:
            raise ValueError(
                f"These objectives compare {what}, and the batches have none: "
                f"training_batches(..., {how})."
            )
