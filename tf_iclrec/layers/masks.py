"""Which positions are real and which may see which."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import PADDING_ID


def valid_mask(ids: KerasTensor) -> KerasTensor:
    """True where a position is real, ``(batch, time)`` bool.

    Raises:
        ValueError: If sequences are ragged.
    """
    if isinstance(ids, tf.RaggedTensor):
        raise ValueError("item_ids are ragged: pad them with 0, such as by to_tensor().")
    return ops.not_equal(ids, PADDING_ID)


def causal_mask(valid: KerasTensor) -> KerasTensor:
    """Each real position sees itself and the real positions before it; a padded one only those.

    Args:
        valid: ``(batch, time)`` bool.

    Returns:
        ``(batch, time, time)`` bool, [batch, query, key].

    Example:
    >>> ops.convert_to_numpy(causal_mask(ops.array([[False, True, True]])))[0].tolist()
    [[False, False, False], [False, True, False], [False, True, True]]
    """
    steps = ops.arange(ops.shape(valid)[1])
    return ops.logical_and(steps[:, None] >= steps[None, :], valid[:, None, :])


def two_sided_mask(valid: KerasTensor) -> KerasTensor:
    """Each position sees all real positions, before and after it.

    Args:
        valid: ``(batch, time)`` bool.

    Returns:
        ``(batch, time, time)`` bool, [batch, query, key].

    Example:
    >>> ops.convert_to_numpy(two_sided_mask(ops.array([[False, True, True]])))[0].tolist()
    [[False, True, True], [False, True, True], [False, True, True]]
    """
    return ops.repeat(valid[:, None, :], ops.shape(valid)[1], axis=1)


def or_else_all(allowed: KerasTensor, shown: KerasTensor) -> KerasTensor:
    """A query that may see no key sees all keys that are shown, later ones and padding included.

    What happens where masked scores are lowered by a number that all keys have in common: it
    cancels in the softmax. So the padded positions of ICLRec's program see the whole sequence.

    Args:
        allowed: ``(batch, time, time)`` bool, [batch, query, key].
        shown: ``(batch, time)`` bool.

    Returns:
        ``(batch, time, time)`` bool.

    Example:
    >>> valid = ops.array([[False, False, True, True]])
    >>> shown = ops.array([[False, True, True, True]])
    >>> ops.convert_to_numpy(or_else_all(causal_mask(valid), shown))[0].astype(int).tolist()
    [[0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 1, 1]]
    """
    nothing = ops.logical_not(ops.any(allowed, axis=-1, keepdims=True))
    return ops.logical_or(allowed, ops.logical_and(nothing, shown[:, None, :]))


def additive_mask(allowed: KerasTensor, dtype: str) -> KerasTensor:
    """0 where attention is allowed, a large negative number elsewhere.

    A finite number keeps a row without any allowed key (a padded query) free of NaN.
    """
    lowest = -3e4 if keras.backend.standardize_dtype(dtype) == "float16" else -1e9
    return ops.where(allowed, ops.cast(0.0, dtype), ops.cast(lowest, dtype))


def at_right_end(ids: KerasTensor, valid: KerasTensor, width: KerasTensor) -> KerasTensor:
    """The last columns of each row up to its last real position, the others cut off.

    Args:
        ids: ``(batch, time)``.
        valid: ``(batch, time)`` bool.
        width: Number of columns to keep.

    Returns:
        ``(batch, width)``; padding where there is nothing before the first column.

    Example:
    >>> at_right_end(ops.array([[5, 9, 0]]), ops.array([[True, True, False]]), 3).numpy().tolist()
    [[0, 5, 9]]
    """
    last = tf.reduce_max(tf.where(valid, tf.range(tf.shape(valid)[1]), -1), axis=1)
    source = last[:, tf.newaxis] + 1 - width + tf.range(width)
    kept = tf.gather(ops.convert_to_tensor(ids), tf.maximum(source, 0), batch_dims=1)
    return tf.where(source >= 0, kept, PADDING_ID)


def masked_mean(values: KerasTensor, valid: KerasTensor) -> KerasTensor:
    """Mean over the real positions.

    Args:
        values: ``(..., time, dim)``.
        valid: ``(..., time)`` bool.

    Returns:
        ``(..., dim)``; zero where a row has no real position.
    """
    weights = ops.cast(valid, values.dtype)[..., None]
    count = ops.maximum(ops.sum(weights, axis=-2), 1.0)
    return ops.sum(values * weights, axis=-2) / count


def weighted_mean(values: KerasTensor, weights: KerasTensor) -> KerasTensor:
    """Mean of ``(batch, time, dim)`` with weights ``(batch, time)``, ``(batch, dim)``.

    Example:
    >>> weighted_mean(ops.array([[[1.0], [4.0]]]), ops.array([[2.0, 1.0]])).numpy().tolist()
    [[2.0]]
    """
    weights = ops.cast(weights, values.dtype)[..., None]
    return ops.sum(values * weights, axis=1) / ops.sum(weights, axis=1)


def last_valid(values: KerasTensor, valid: KerasTensor) -> KerasTensor:
    """The value at each row's last real position.

    Args:
        values: ``(batch, time, dim)``.
        valid: ``(batch, time)`` bool.

    Returns:
        ``(batch, dim)``; zero where a row has no real position.
    """
    steps = ops.arange(1, ops.shape(valid)[1] + 1)
    place = ops.where(valid, steps[None, :], 0)
    last = ops.max(place, axis=1)
    is_last = ops.logical_and(place == last[:, None], valid)
    return ops.sum(values * ops.cast(is_last, values.dtype)[..., None], axis=1)
