"""The linear layers inside attention and feed-forward networks."""

from collections.abc import Callable

import keras


def built_dense(
    input_dim: int,
    units: int,
    name: str,
    initializer_stddev: float,
    dtype: keras.DTypePolicy,
    activation: Callable | None = None,
    use_bias: bool = True,
) -> keras.layers.Dense:
    """A built `keras.layers.Dense` with normally distributed initial kernel.

    Example:
    >>> built_dense(4, 8, "expand", 0.02, keras.DTypePolicy("float32")).kernel.shape
    TensorShape([4, 8])
    """
    layer = keras.layers.Dense(
        units,
        activation,
        use_bias,
        kernel_initializer=keras.initializers.RandomNormal(stddev=initializer_stddev),
        dtype=dtype,
        name=name,
    )
    layer.build((None, None, input_dim))
    return layer
