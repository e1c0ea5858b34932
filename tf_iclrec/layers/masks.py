"""Which positions are real and which may see which."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import PADDING_ID


def valid_mask(ids: KerasTensor) -> KerasTensor:
    """True where a position is real, ``(batch, time)`` bool."""
    return ops.not_equal(ids, PADDING_ID)


def causal_mask(valid: KerasTensor) -> KerasTensor:
    """Each position sees itself and the real positions before it.

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


def additive_mask(allowed: KerasTensor, dtype: str) -> KerasTensor:
    """0 where attention is allowed, a large negative number elsewhere.

    A finite number keeps a row without any allowed key (a padded query) free of NaN.
    """
    lowest = -3e4 if keras.backend.standardize_dtype(dtype) == "float16" else -1e9
    return ops.where(allowed, ops.cast(0.0, dtype), ops.cast(lowest, dtype))


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
