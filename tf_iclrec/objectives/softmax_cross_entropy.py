"""Next item against the whole catalogue (IPSRec Eq. 5-6)."""

from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting

# Positions whose logits are held at once. On a CPU they then stay in the cache: the loss costs
# hardly more than its three matrix products, half of what the plain operations take. A GPU
# wants large products.
_POSITIONS_ON_CPU = 64
_POSITIONS_ON_GPU = 4096


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
    """The loss and its gradients by ``hidden`` and ``item_vectors``, block by block.

    With ``p = softmax(h Eᵀ)`` they are ``Σ w (p E - e_target)`` and ``Σ w (p - onehot)ᵀ h``; the
    parts of the targets are added at the end.
    """
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    size = _POSITIONS_ON_GPU if on_gpu else _POSITIONS_ON_CPU
    positions, dim = tf.shape(hidden)[0], hidden.shape[1]
    blocks = -(-positions // size)

    def in_blocks(values):
        # What is added at the end has weight 0.
        rest = tf.zeros([blocks * size - positions, *values.shape[1:]], values.dtype)
        return tf.reshape(tf.concat([values, rest], axis=0), [blocks, size, *values.shape[1:]])

    hidden_blocks, weight_blocks = in_blocks(hidden), in_blocks(tf.reduce_sum(weights, axis=1))
    # On a CPU, a product with the copy takes a third less time than one that transposes.
    transposed = tf.transpose(item_vectors)

    def step(block, value, by_hidden, by_items):
        own, weight = hidden_blocks[block], weight_blocks[block][:, tf.newaxis]
        logits = tf.matmul(own, transposed)
        highest = tf.reduce_max(logits, axis=1, keepdims=True)
        raised = tf.exp(logits - highest)
        total = tf.reduce_sum(raised, axis=1, keepdims=True)
        value += tf.reduce_sum(weight * (highest + tf.math.log(total)))
        share = weight / total
        by_hidden = by_hidden.write(block, share * tf.matmul(raised, item_vectors))
        by_items += tf.matmul(raised, share * own, transpose_a=True)
        return block + 1, value, by_hidden, by_items

    start = (
        tf.constant(0),
        tf.constant(0.0),
        tf.TensorArray(tf.float32, blocks, element_shape=[size, dim]),
        tf.zeros_like(item_vectors),
    )
    _, value, by_hidden, by_items = tf.while_loop(
        lambda block, *_: block < blocks, step, start, parallel_iterations=1
    )
    weights = weights[:, :, tf.newaxis]
    pulled = tf.reduce_sum(weights * tf.gather(item_vectors, targets), axis=1)
    value -= tf.reduce_sum(hidden * pulled)
    by_hidden = tf.reshape(by_hidden.stack(), [-1, dim])[:positions] - pulled
    by_items = tf.tensor_scatter_nd_sub(
        by_items, targets[:, :, tf.newaxis], weights * hidden[:, tf.newaxis]
    )
    return value, by_hidden, by_items


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
    """

    name = "next_item"

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
