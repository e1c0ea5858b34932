"""What the tests of all layers need."""

import keras
import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def randomize(rng):
    """Give a built layer weights that are far from their initial values."""

    def randomize(layer):
        layer.set_weights([rng.normal(scale=0.5, size=w.shape) for w in layer.get_weights()])
        return layer

    return randomize


@pytest.fixture
def reload(tmp_path):
    """Save a layer in a model file; a function of the layer's inputs that was read back."""

    def reload(layer, *inputs):
        symbols = [keras.Input(batch_shape=x.shape, dtype=str(x.dtype)) for x in inputs]
        keras.Model(symbols, layer(*symbols)).save(tmp_path / "layer.keras")
        loaded = keras.saving.load_model(tmp_path / "layer.keras")
        return lambda *inputs: loaded(list(inputs))

    return reload


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def in_mixed_precision(request):
    """A layer's outputs, as float32, when it computes in half precision."""

    def outputs(layer, *inputs):
        config = layer.get_config() | {"dtype": request.param}
        half = type(layer).from_config(config)
        half(*inputs)
        half.set_weights(layer.get_weights())
        result = half(*inputs)
        assert keras.backend.standardize_dtype(result.dtype) == half.compute_dtype != "float32"
        return np.asarray(result).astype("float32")

    return outputs
