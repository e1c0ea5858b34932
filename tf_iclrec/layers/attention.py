"""Scaled dot-product attention over several heads, as functions that layers share."""

import math
from collections.abc import Callable

import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.layers.masks import additive_mask


def split_heads(mixed: KerasTensor, num_heads: int) -> list[KerasTensor]:
    """Queries, keys and values out of one projection.

    Args:
        mixed: ``(batch, time, 3 * dim)``.
        num_heads: Attention heads.

    Returns:
        Three tensors ``(batch, num_heads, time, dim / num_heads)``.
    """
    time, width = ops.shape(mixed)[1], mixed.shape[-1]
    heads = ops.reshape(mixed, (-1, time, 3 * num_heads, width // (3 * num_heads)))
    return ops.split(ops.transpose(heads, (0, 2, 1, 3)), 3, axis=1)


def check_heads(dim: int, num_heads: int) -> None:
    """Raise ValueError unless ``dim`` can be divided into ``num_heads``."""
    if dim % num_heads:
        raise ValueError(f"The width {dim} can't be divided into {num_heads} attention heads.")


def attend(
    query: KerasTensor,
    key: KerasTensor,
    value: KerasTensor,
    allowed: KerasTensor,
    bias: KerasTensor | None = None,
    dropout: Callable[[KerasTensor], KerasTensor] = lambda weights: weights,
) -> KerasTensor:
    """``softmax(Q Kᵀ / sqrt(head_dim) + bias + mask) V`` per head, heads side by side.

    Args:
        query: ``(batch, heads, time, head_dim)``; ``key`` and ``value`` likewise.
        allowed: ``(batch, time, time)`` bool, [batch, query, key], true where seen.
        bias: Optional ``(heads, time, time)`` added to the scores of all rows.
        dropout: Applied to the attention weights.

    Returns:
        ``(batch, time, heads * head_dim)``.

    Example: with equal scores a query sees the mean of the values that it may see.
    >>> zeros, value = ops.zeros((1, 1, 2, 1)), ops.array([[[[1.0], [3.0]]]])
    >>> causal = ops.array([[[True, False], [True, True]]])
    >>> ops.convert_to_numpy(attend(zeros, zeros, value, causal)).tolist()
    [[[1.0], [2.0]]]
    """
    heads, time, head_dim = query.shape[1], ops.shape(query)[2], query.shape[-1]
    query = query * (1.0 / math.sqrt(head_dim))
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
    if bias is not None:
        scores = scores + bias
    # TensorFlow's own: Keras' warns of a sequence of one item.
    weights = dropout(tf.nn.softmax(scores + additive_mask(allowed, scores.dtype)[:, None]))
    attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
    return ops.reshape(attended, (-1, time, heads * head_dim))
