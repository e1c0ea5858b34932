"""Next item against the whole catalogue, for several vectors per user (DSSRec's seq2item loss)."""

import math
from typing import Annotated

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.objectives.objective import EncodedBatch, Objective
from tf_iclrec.settings import Setting

# Vectors whose logits are held at once. On a CPU they then stay in the cache, a GPU wants large
# products; as in `softmax_cross_entropy`.
_VECTORS_ON_CPU = 64
_VECTORS_ON_GPU = 4096


def log_partition(
    queries: KerasTensor, item_vectors: KerasTensor, weights: KerasTensor
) -> KerasTensor:
    """``Σ weight · log Σ_k Σ_j exp(q_k · e_j)`` over positions, each with ``K`` queries.

    The gradients are computed with the value, some positions at a time, so that the logits of
    all positions never exist together.

    Args:
        queries: ``(positions, K, dim)`` float32.
        item_vectors: ``(items, dim)`` float32 vectors of the catalogue.
        weights: ``(positions,)`` float32.

    Returns:
        Scalar. It can be differentiated once, by ``queries`` and ``item_vectors``.

    Example: two queries and three items without any preference, ``log 6``.
    >>> round(float(log_partition(ops.zeros((1, 2, 4)), ops.ones((3, 4)), ops.ones(1))), 4)
    1.7918
    """
    weights = ops.convert_to_tensor(weights, "float32")

    @tf.custom_gradient
    def value(queries, item_vectors):
        result, by_queries, by_items = _value_and_gradients(queries, item_vectors, weights)
        return result, lambda upstream: (upstream * by_queries, upstream * by_items)

    return value(*(ops.convert_to_tensor(x, "float32") for x in (queries, item_vectors)))


def _value_and_gradients(queries, item_vectors, weights):
    """With ``p = softmax over k and j`` the gradients are ``Σ w p_kj e_j`` by ``q_k`` and
    ``Σ w p_kj q_k`` by ``e_j``."""
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    num_queries, dim = queries.shape[1:]
    size = max(1, (_VECTORS_ON_GPU if on_gpu else _VECTORS_ON_CPU) // num_queries)
    positions, items = tf.shape(queries)[0], tf.shape(item_vectors)[0]
    blocks = -(-positions // size)

    def in_blocks(values):
        rest = tf.zeros([blocks * size - positions, *values.shape[1:]], values.dtype)
        return tf.concat([values, rest], axis=0)

    query_blocks = tf.reshape(in_blocks(queries), [blocks, size * num_queries, dim])
    weight_blocks = tf.reshape(in_blocks(weights), [blocks, size, 1])
    transposed = tf.transpose(item_vectors)

    def step(block, result, by_queries, by_items):
        own, weight = query_blocks[block], weight_blocks[block]
        # The queries of a position lie side by side: one row of all its logits.
        logits = tf.reshape(tf.matmul(own, transposed), [size, num_queries * items])
        highest = tf.reduce_max(logits, axis=1, keepdims=True)
        raised = tf.exp(logits - highest)
        total = tf.reduce_sum(raised, axis=1, keepdims=True)
        result += tf.reduce_sum(weight * (highest + tf.math.log(total)))
        raised = tf.reshape(raised, [size * num_queries, items])
        share = tf.repeat(weight / total, num_queries, axis=0)
        by_queries = by_queries.write(block, share * tf.matmul(raised, item_vectors))
        by_items += tf.matmul(raised, share * own, transpose_a=True)
        return block + 1, result, by_queries, by_items

    start = (
        tf.constant(0),
        tf.constant(0.0),
        tf.TensorArray(tf.float32, blocks, element_shape=[size * num_queries, dim]),
        tf.zeros_like(item_vectors),
    )
    _, result, by_queries, by_items = tf.while_loop(
        lambda block, *_: block < blocks, step, start, parallel_iterations=1
    )
    by_queries = tf.reshape(by_queries.stack(), [-1, num_queries, dim])[:positions]
    return result, by_queries, by_items


@keras.saving.register_keras_serializable("tf_iclrec")
class DisentangledSoftmax(Objective):
    """The best of a user's vectors picks the next item, against all items for all of them.

    DSSRec's loss from sequence to item (Ma et al., KDD 2020), at every real position::

        -log( max_k exp(φ_k · h_target / sqrt(D)) / Σ_k Σ_j exp(φ_k · h_j / sqrt(D)) )

    Only the vector that likes the next item best is drawn to it; every vector is pushed away from
    the other items, as an item's score is the best of all vectors. The items ``j`` are the whole
    catalogue, as when the model is used; the public program takes the next items of the batch.
    With a single vector per position it is `SoftmaxCrossEntropy` of ``φ / sqrt(D)``.

    Args:
        weight: Factor of the term in the total loss. Defaults to 1.
        scaled: Whether scores are divided by ``sqrt(D)``, as published. Without, scores are larger
            from the start, and a model learns in fewer epochs. Defaults to True.
    """

    name = "next_item"

    def __init__(
        self,
        weight: float = 1.0,
        scaled: Annotated[
            bool,
            Setting(
                "divide scores by the root of their width in the loss (disentangled softmax)",
                option="scaled_scores",
            ),
        ] = True,
    ):
        super().__init__(weight)
        self.scaled = scaled

    def __call__(self, encoded: EncodedBatch) -> KerasTensor:
        queries = ops.cast(tf.boolean_mask(encoded.queries, encoded.real), "float32")
        if self.scaled:
            queries = queries / math.sqrt(queries.shape[-1])
        items, weights = encoded.item_vectors(), encoded.position_weights()
        rows = tf.boolean_mask(encoded.target_ids, encoded.real) - NUM_SPECIAL_IDS
        scores = tf.einsum("pqd,pd->pq", queries, tf.gather(items, tf.maximum(rows, 0)))
        best = tf.reduce_max(scores, axis=1)
        return log_partition(queries, items, weights) - tf.reduce_sum(weights * best)

    def get_config(self) -> dict:
        return super().get_config() | {"scaled": self.scaled}
