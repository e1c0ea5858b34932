"""The LayerNorm inside Transformers and behind them."""

import keras

# The published value.
_EPSILON = 1e-12


def built_norm(
    dim: int, dtype: keras.DTypePolicy, name: str | None = None
) -> keras.layers.LayerNormalization:
    """A built `keras.layers.LayerNormalization` over so many values.

    Example:
    >>> built_norm(8, keras.DTypePolicy("float32")).gamma.shape
    TensorShape([8])
    """
    layer = keras.layers.LayerNormalization(epsilon=_EPSILON, dtype=dtype, name=name)
    layer.build((None, None, dim))
    return layer
