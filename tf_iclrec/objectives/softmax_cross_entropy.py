"""Next item against the whole catalogue (IPSRec Eq. 5-6)."""

import copy
from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.tasks import NextItem, Task
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID
from tf_iclrec.objectives.log_partition import log_partition_and_gradients
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting, checked


def softmax_cross_entropy(
    hidden: KerasTensor, item_vectors: KerasTensor, targets: KerasTensor, weights: KerasTensor
) -> KerasTensor:
    """``Σ weight · -log softmax(h Eᵀ)[target]`` over positions and the targets of each.

    The gradients are computed with the loss, some positions at a time, so that the logits of
    all positions never exist together.

    Args:
        hidden: ``(positions, dim)`` float32 hidden states.
        item_vectors: ``(items, dim)`` float32 vectors of the catalogue.
        targets: ``(positions, k)`` int32 rows of ``item_vectors``.
        weights: ``(positions, k)`` float32, 0 where a position has fewer targets.

    Returns:
        Scalar. It can be differentiated once, by ``hidden`` and ``item_vectors``.

    Example: without any preference among four items the loss of a position is ln 4.
    >>> loss = softmax_cross_entropy(
    ...     ops.zeros((2, 2)), ops.ones((4, 2)), ops.array([[0], [3]]), ops.array([[0.5], [0.5]]))
    >>> round(float(loss), 4)
    1.3863
    """

    targets = ops.convert_to_tensor(targets, "int32")
    weights = ops.convert_to_tensor(weights, "float32")

    @tf.custom_gradient
    def loss(hidden, item_vectors):
        value, by_hidden, by_items = _loss_and_gradients(hidden, item_vectors, targets, weights)
        return value, lambda upstream: (upstream * by_hidden, upstream * by_items)

    hidden, item_vectors = (ops.convert_to_tensor(x, "float32") for x in (hidden, item_vectors))
    return loss(hidden, item_vectors)


def _loss_and_gradients(hidden, item_vectors, targets, weights):
    """The loss and its gradients by ``hidden`` and ``item_vectors``.

    With ``p = softmax(h Eᵀ)`` they are ``Σ w (p E - e_target)`` and ``Σ w (p - onehot)ᵀ h``; the
    parts of the targets are added to those of the denominator.
    """
    value, by_queries, by_items = log_partition_and_gradients(
        hidden[:, tf.newaxis], item_vectors, tf.reduce_sum(weights, axis=1)
    )
    weights = weights[:, :, tf.newaxis]
    pulled = tf.reduce_sum(weights * tf.gather(item_vectors, targets), axis=1)
    value -= tf.reduce_sum(hidden * pulled)
    by_items = tf.tensor_scatter_nd_sub(
        by_items, targets[:, :, tf.newaxis], weights * hidden[:, tf.newaxis]
    )
    return value, by_queries[:, 0] - pulled, by_items


@keras.saving.register_keras_serializable("tf_iclrec")
class SoftmaxCrossEntropy(Objective):
    """Full softmax at every real position; padded positions cost nothing.

    With a horizon, a position learns from several next items, each counting less than the one
    before it; the softmax is computed once for all of them.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        horizon: How many next items a position learns from. Defaults to 1.
        decay: What the next but one item counts, in shares of the next one, and so on.
            Defaults to 0.5.

    Example: of four items the next one has three times the odds of each other, so half of all.
    >>> batch = EncodedBatch(
    ...     hidden=ops.log([[[1.0, 1.0, 1.0, 3.0]]]), target_ids=ops.array([[6]]),
    ...     item_vectors=lambda: ops.eye(4))
    >>> round(float(SoftmaxCrossEntropy()(batch)), 4)  # ln 2
    0.6931
    """

    name = "next_item"

    @checked
    def __init__(
        self,
        weight: float = 1.0,
        horizon: Annotated[
            int,
            Setting(
                "next items that each position learns from (softmax; 1 with an encoder that is "
                "trained for masked or own items)",
                at_least=1,
            ),
        ] = 1,
        decay: Annotated[
            float,
            Setting(
                "what each further one of them counts, in shares of the last",
                at_least=0,
                at_most=1,
                option="horizon_decay",
            ),
        ] = 0.5,
    ):
        super().__init__(weight)
        self.horizon = horizon
        self.decay = decay

    def for_task(self, task: Task) -> "SoftmaxCrossEntropy":
        if isinstance(task, NextItem):
            return self
        # What is asked for at the next place is not what comes next.
        objective = copy.copy(self)
        objective.horizon = 1
        return objective

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        hidden = ops.cast(tf.boolean_mask(encoded.hidden, encoded.real), "float32")
        time = tf.shape(encoded.target_ids)[1]
        later = tf.pad(encoded.target_ids, [[0, 0], [0, self.horizon - 1]])
        targets = tf.stack([later[:, step : step + time] for step in range(self.horizon)], axis=-1)
        targets = tf.boolean_mask(targets, encoded.real)
        shares = tf.constant([self.decay**step for step in range(self.horizon)], tf.float32)
        shares = tf.where(targets == PADDING_ID, 0.0, shares)
        shares /= tf.reduce_sum(shares, axis=1, keepdims=True)
        return softmax_cross_entropy(
            hidden,
            encoded.item_vectors(),
            tf.maximum(targets - NUM_SPECIAL_IDS, 0),
            shares * encoded.position_weights()[:, tf.newaxis],
        )

    def get_config(self) -> dict:
        return super().get_config() | {"horizon": self.horizon, "decay": self.decay}
