"""What a model wants of the batches it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

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
        tf.errors.InvalidArgumentError: If its sequences are longer than the model reads.
    """
    of_model = "model=model"
    # In those to evaluate with, a row has one target.
    if len(getattr(batch.get("target_ids"), "shape", ())) != 2:
        raise ValueError(
            "A training step reads item_ids and target_ids, each (batch, time): make such batches "
            f"with training_batches(split, {of_model})."
        )
    check_length(batch, model.max_length)
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


def check_ranking_batch(batch: Mapping[str, Any], max_length: int | None) -> None:
    """Make sure that a batch has a held-out item of each user and the items that they had.

    Args:
        batch: What to evaluate with.
        max_length: Items of a history that the model reads; None: all.

    Raises:
        ValueError: If it has not.
        tf.errors.InvalidArgumentError: If its histories are longer.
    """
    if "seen_ids" not in batch or "target_ids" not in batch:
        raise ValueError(
            "An evaluation reads item_ids (batch, time), target_ids (batch,) and seen_ids (batch, "
            "seen): make such batches with evaluation_batches(split, 'test', model=model)."
        )
    check_length(batch, max_length)


def check_length(batch: Mapping[str, Any], max_length: int | None) -> None:
    """Make sure that a model reads so long sequences.

    Args:
        batch: ``item_ids`` and what else.
        max_length: Items of a history that the model reads; None: all.

    Raises:
        tf.errors.InvalidArgumentError: If they are longer.
    """
    if max_length is not None:
        tf.debugging.assert_less_equal(
            tf.shape(batch["item_ids"])[1],
            max_length,
            f"The batches have sequences of more than max_length={max_length} items, which the "
            "model was not made for: give model=model to what makes them.",
        )
