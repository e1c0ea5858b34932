"""Vectors of length 1."""

import tensorflow as tf
from keras import KerasTensor

# Shorter vectors are left short. The square of what `keras.ops.normalize` has.
_EPSILON = 1e-14


def unit_vectors(vectors: KerasTensor) -> KerasTensor:
    """Vectors divided by their length; zero stays zero.

    As `keras.ops.normalize` does, whose gradient at zero, the state of every padded position, XLA
    makes NaN.

    Args:
        vectors: ``(..., dim)`` float32.

    Returns:
        The same shape.

    Example:
    >>> print(unit_vectors(tf.constant([[3.0, 4.0], [0.0, 0.0]])).numpy().round(2))
    [[0.6 0.8]
     [0.  0. ]]
    """
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=_EPSILON)
