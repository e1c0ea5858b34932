"""The logarithm of a softmax's denominator over the whole catalogue, with its gradients."""

import tensorflow as tf
from keras import KerasTensor, ops

# Vectors whose logits are held at once. On a CPU they then stay in the cache: the value costs
# hardly more than its three matrix products, half of what the plain operations take. A GPU
# wants large products.
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
        result, by_queries, by_items = log_partition_and_gradients(queries, item_vectors, weights)
        return result, lambda upstream: (upstream * by_queries, upstream * by_items)

    return value(*(ops.convert_to_tensor(x, "float32") for x in (queries, item_vectors)))


def log_partition_and_gradients(
    queries: tf.Tensor, item_vectors: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The value of `log_partition` and its gradients by ``queries`` and ``item_vectors``.

    With ``p = softmax over k and j`` they are ``Σ w p_kj e_j`` by ``q_k`` and ``Σ w p_kj q_k`` by
    ``e_j``.
    """
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    num_queries, dim = queries.shape[1:]
    size = max(1, (_VECTORS_ON_GPU if on_gpu else _VECTORS_ON_CPU) // num_queries)
    positions, items = tf.shape(queries)[0], tf.shape(item_vectors)[0]
    blocks = -(-positions // size)

    def in_blocks(values):
        # What is added at the end has weight 0.
        rest = tf.zeros([blocks * size - positions, *values.shape[1:]], values.dtype)
        return tf.concat([values, rest], axis=0)

    query_blocks = tf.reshape(in_blocks(queries), [blocks, size * num_queries, dim])
    weight_blocks = tf.reshape(in_blocks(weights), [blocks, size, 1])
    # On a CPU, a product with the copy takes a third less time than one that transposes.
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
