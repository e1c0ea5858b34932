"""Linear maps without a bias."""

import keras


def built_projection(
    input_dim: int, units: int, name: str, initializer_stddev: float, dtype: keras.DTypePolicy
) -> keras.layers.Dense:
    """A built `keras.layers.Dense` without bias, with normally distributed initial kernel.

    Example:
    >>> built_projection(4, 8, "query", 0.02, keras.DTypePolicy("float32")).use_bias
    False
    """
    layer = keras.layers.Dense(
        units,
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=initializer_stddev),
        dtype=dtype,
        name=name,
    )
    layer.build((None, None, input_dim))
    return layer
