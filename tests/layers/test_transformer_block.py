import math

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.masks import causal_mask
from tf_iclrec.layers.transformer_block import TransformerBlock

BATCH, TIME, DIM, HEADS = 2, 4, 8, 2
VALID = np.array([[0, 1, 1, 1], [1, 1, 1, 0]], dtype=bool)


@pytest.fixture
def allowed():
    return np.asarray(causal_mask(VALID))


@pytest.fixture
def inputs(rng):
    return rng.normal(size=(BATCH, TIME, DIM)).astype("float32")


@pytest.fixture
def bias(rng):
    return rng.normal(size=(HEADS, TIME, TIME)).astype("float32")


@pytest.fixture
def block(randomize):
    block = TransformerBlock(num_heads=HEADS, feedforward_dim=12, dropout=0.5)
    block.build((None, None, DIM))
    return randomize(block)


def layer_norm(values, layer):
    scale, shift = layer.get_weights()
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12) * scale + shift


def exact_gelu(values):
    return np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))(values)


def test_normalises_after_attention_and_after_the_feed_forward(block, inputs, allowed, bias):
    attended = np.asarray(block.attention(inputs, allowed=allowed, bias=bias))
    hidden = layer_norm(inputs + attended, block.attention_norm)
    kernel, shift = block.expand.get_weights()
    output_kernel, output_shift = block.contract.get_weights()
    update = exact_gelu(hidden @ kernel + shift) @ output_kernel + output_shift
    expected = layer_norm(hidden + update, block.feedforward_norm)
    outputs = block(inputs, allowed=allowed, bias=bias)
    assert outputs.shape == (BATCH, TIME, DIM)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_neither_padding_nor_a_later_item_changes_an_output(block, inputs, allowed, bias):
    changed = inputs.copy()
    changed[~VALID] += 100.0
    changed[:, 2] += 1.0
    before, after = (np.asarray(block(x, allowed=allowed, bias=bias)) for x in (inputs, changed))
    np.testing.assert_allclose(before[:, :2][VALID[:, :2]], after[:, :2][VALID[:, :2]], atol=1e-6)
    assert np.abs(before[:, 2] - after[:, 2]).max() > 1e-3


def test_a_row_of_padding_has_finite_gradients(block, inputs):
    # Zero vectors: the worst case for a normalisation with a tiny epsilon.
    with tf.GradientTape() as tape:
        outputs = block(0 * inputs, allowed=np.zeros((BATCH, TIME, TIME), dtype=bool))
        loss = tf.reduce_sum(outputs**2)
    for gradient in tape.gradient(loss, block.trainable_variables):
        assert np.isfinite(gradient).all()


def test_drops_values_only_in_training(block, inputs, allowed):
    calm = np.asarray(block(inputs, allowed=allowed, training=False))
    np.testing.assert_array_equal(block(inputs, allowed=allowed), calm)
    assert np.abs(block(inputs, allowed=allowed, training=True) - calm).max() > 1e-3


@pytest.mark.parametrize(("given", "expected"), [(None, 0.4), (0.1, 0.1), (0.0, 0.0)])
def test_attention_dropout_defaults_to_dropout(given, expected):
    block = TransformerBlock(2, 12, dropout=0.4, attention_dropout=given)
    block.build((None, None, DIM))
    assert block.attention.dropout == expected
    assert block.hidden_dropout.rate == 0.4


def test_config_round_trip():
    settings = {
        "num_heads": 2,
        "feedforward_dim": 12,
        "dropout": 0.3,
        "attention_dropout": 0.1,
        "epsilon": 1e-6,
        "initializer_stddev": 0.1,
    }
    config = TransformerBlock(**settings).get_config()
    assert config.items() >= settings.items()
    assert TransformerBlock.from_config(config).get_config() == config


def test_saved_block_gives_the_same_output(block, inputs, allowed, bias, reload):
    loaded = reload(block, inputs, allowed, bias)
    expected = block(inputs, allowed=allowed, bias=bias)
    np.testing.assert_array_equal(loaded(inputs, allowed, bias), expected)


def test_mixed_precision_is_near_float32(block, inputs, allowed, bias, in_mixed_precision):
    outputs = in_mixed_precision(block, inputs, allowed, bias)
    assert np.isfinite(outputs).all()
    expected = np.asarray(block(inputs, allowed=allowed, bias=bias))
    np.testing.assert_allclose(outputs[VALID], expected[VALID], atol=0.1)
