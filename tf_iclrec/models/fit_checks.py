"""What is made sure of before a model is trained by `fit`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from tf_iclrec.models.sequential_recommender import SequentialRecommender


def check_fit(
    model: SequentialRecommender, callbacks: Any = None, class_weight: Any = None, **_: Any
) -> None:
    """Refuse what a training would not read or have, and warn where it would leave something out.

    Args:
        model: What is to be trained.
        callbacks: Those of `fit`.
        class_weight: Likewise.

    Raises:
        ValueError: If there are weights of classes, or what the model knows of items is gone.
    """
    if class_weight is not None:
        raise ValueError(
            "class_weight is not read: the weights of targets are target_weights of the batches."
        )
    for layer in (*model.members(), *model.objective_layers):
        if getattr(layer, "lacks_tables", False):
            raise ValueError(
                f"{layer.name} has no tables of what is known of the items, as a copy by "
                "keras.models.clone_model or from_config has none: set_weights(original."
                "get_weights()) brings them."
            )
    given = keras.tree.flatten(getattr(callbacks, "callbacks", callbacks))
    finds = any(getattr(callback, "finds_intents", False) for callback in given)
    if model.needs_intents and not finds and not model.found_intents:
        warnings.warn(
            "No callback finds intents, so that objectives which use them stay 0: give fit() "
            "callbacks=[tf_iclrec.IntentClustering(tf_iclrec.sequence_batches(split, "
            "model=model))]. One of your own says finds_intents = True.",
            stacklevel=3,
        )
