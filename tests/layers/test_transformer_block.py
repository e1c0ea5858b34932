import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.transformer_block import TransformerBlock


@pytest.fixture
def block(randomize, inputs):
    block = TransformerBlock(num_heads=2, feedforward_dim=12, dropout=0.5)
    block.build(inputs.shape)
    return randomize(block)


def test_normalises_after_attention_and_before_the_feed_forward(
    block, inputs, allowed, bias, slow_layer_norm
):
    attended = np.asarray(block.attention(inputs, allowed=allowed, bias=bias))
    hidden = slow_layer_norm(inputs + attended, block.attention_norm)
    outputs = block(inputs, allowed=allowed, bias=bias)
    assert outputs.shape == inputs.shape
    np.testing.assert_allclose(outputs, block.feed_forward(hidden), rtol=1e-4, atol=1e-5)


def test_neither_padding_nor_a_later_item_changes_an_output(block, inputs, valid, allowed, bias):
    changed = inputs.copy()
    changed[~valid] += 100.0
    changed[:, 2] += 1.0
    before, after = (np.asarray(block(x, allowed=allowed, bias=bias)) for x in (inputs, changed))
    np.testing.assert_allclose(before[:, :2][valid[:, :2]], after[:, :2][valid[:, :2]], atol=1e-6)
    assert np.abs(before[:, 2] - after[:, 2]).max() > 1e-3


def test_a_row_of_padding_has_finite_gradients(block, inputs, allowed):
    # Zero vectors: the worst case for a normalisation with a tiny epsilon.
    with tf.GradientTape() as tape:
        outputs = block(0 * inputs, allowed=np.zeros_like(allowed))
        loss = tf.reduce_sum(outputs**2)
    for gradient in tape.gradient(loss, block.trainable_variables):
        assert np.isfinite(gradient).all()


def test_drops_values_only_in_training(block, inputs, allowed):
    calm = np.asarray(block(inputs, allowed=allowed, training=False))
    np.testing.assert_array_equal(block(inputs, allowed=allowed), calm)
    assert np.abs(block(inputs, allowed=allowed, training=True) - calm).max() > 1e-3


def test_dropout_is_that_of_all_parts():
    block = TransformerBlock(2, 12, dropout=0.4)
    block.build((None, None, 8))
    assert block.attention.dropout == block.output_dropout.rate == block.feed_forward.dropout == 0.4


def test_config_round_trip():
    settings = {
        "num_heads": 2,
        "feedforward_dim": 12,
        "dropout": 0.3,
        "initializer_stddev": 0.1,
    }
    config = TransformerBlock(**settings).get_config()
    assert config.items() >= settings.items()
    assert TransformerBlock.from_config(config).get_config() == config


def test_saved_block_gives_the_same_output(block, inputs, allowed, bias, reload):
    loaded = reload(block, inputs, allowed, bias)
    expected = block(inputs, allowed=allowed, bias=bias)
    np.testing.assert_array_equal(loaded(inputs, allowed, bias), expected)


def test_mixed_precision_is_near_float32(block, inputs, valid, allowed, bias, in_mixed_precision):
    outputs = in_mixed_precision(block, inputs, allowed, bias)
    assert np.isfinite(outputs).all()
    expected = np.asarray(block(inputs, allowed=allowed, bias=bias))
    np.testing.assert_allclose(outputs[valid], expected[valid], atol=0.1)
