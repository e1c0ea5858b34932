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
    """Make sure that a batch to train on has what the objectives read.

    Raises:
        ValueError: If it has not; the message says how to make batches that have.
    """
    of_model = "model=model"
    # In those to evaluate with, a row has one target.
    if len(getattr(batch.get("target_ids"), "shape", ())) != 2:
        raise ValueError(
            "A training step reads item_ids and target_ids, each (batch, time): make such batches "
            f"with training_batches(split, {of_model})."
        )
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


def check_ranking_batch(batch: Mapping[str, Any]) -> None:
    """Make sure that a batch has a held-out item of each user and the items that they had.

    Raises:
        ValueError: If it has not.
    """
    if "seen_ids" not in batch or "target_ids" not in batch:
        raise ValueError(
            "An evaluation reads item_ids (batch, time), target_ids (batch,) and seen_ids (batch, "
            "seen): make such batches with evaluation_batches(split, 'test', model=model)."
        )
