"""What the tests of all layers need."""

import math

import keras
import numpy as np
import pytest

from tf_iclrec.layers.masks import causal_mask

BATCH, TIME, DIM, HEADS = 3, 5, 8, 2
# Left-padded, right-padded, unpadded.
VALID = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def valid():
    return VALID


@pytest.fixture
def allowed():
    return np.asarray(causal_mask(VALID))


@pytest.fixture
def inputs(rng):
    return rng.normal(size=(BATCH, TIME, DIM)).astype("float32")


@pytest.fixture
def streams(rng):
    """Items and providers, step by step."""
    return tuple(rng.normal(size=(2, BATCH, TIME, DIM)).astype("float32"))


@pytest.fixture
def bias(rng):
    return rng.normal(size=(HEADS, TIME, TIME)).astype("float32")


@pytest.fixture
def biases(rng):
    """For the scores over items and over providers."""
    return tuple(rng.normal(size=(2, HEADS, TIME, TIME)).astype("float32"))


@pytest.fixture
def slow_attend():
    """The equation of attention for one row, head by head and query by query."""

    def slow_attend(query, key, value, allowed, bias):
        time, dim = query.shape
        heads = len(bias)
        size = dim // heads
        attended = np.zeros((time, dim))
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            for q in range(time):
                keys = [k for k in range(time) if allowed[q, k]]
                scores = [
                    query[q, part] @ key[k, part] / math.sqrt(size) + bias[head, q, k] for k in keys
                ]
                total = sum(np.exp(scores))
                for k, score in zip(keys, scores, strict=True):
                    attended[q, part] += np.exp(score) / total * value[k, part]
        return attended

    return slow_attend


@pytest.fixture
def slow_layer_norm():
    def slow_layer_norm(values, layer):
        scale, shift = layer.get_weights()
        centred = values - values.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12) * scale + shift

    return slow_layer_norm


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

    def symbol(x):
        return keras.Input(batch_shape=x.shape, dtype=str(x.dtype))

    def reload(layer, *inputs):
        symbols = keras.tree.map_structure(symbol, list(inputs))
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

        def as_float32(result):
            assert keras.backend.standardize_dtype(result.dtype) == half.compute_dtype != "float32"
            return np.asarray(result).astype("float32")

        return keras.tree.map_structure(as_float32, half(*inputs))

    return outputs
