import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.self_attention import SelfAttention


@pytest.fixture
def layer(randomize, inputs):
    layer = SelfAttention(num_heads=2, dropout=0.5)
    layer.build(inputs.shape)
    return randomize(layer)


@pytest.mark.parametrize("with_bias", [False, True])
def test_matches_slow_transcription_at_real_positions(
    layer, inputs, valid, allowed, bias, with_bias, slow_attend
):
    outputs = np.asarray(layer(inputs, allowed=allowed, bias=bias if with_bias else None))
    assert outputs.shape == inputs.shape
    kernel, shift, output_kernel, output_shift = layer.get_weights()
    for row, real in enumerate(valid):
        query, key, value = np.split(inputs[row] @ kernel + shift, 3, axis=-1)
        attended = slow_attend(query, key, value, allowed[row], bias * with_bias)
        expected = attended @ output_kernel + output_shift
        np.testing.assert_allclose(outputs[row, real], expected[real], rtol=1e-4, atol=1e-5)


def test_a_key_that_is_not_allowed_has_no_influence(layer, inputs, valid, allowed):
    changed = inputs.copy()
    changed[~valid] += 100.0
    before, after = (np.asarray(layer(x, allowed=allowed)) for x in (inputs, changed))
    np.testing.assert_array_equal(before[valid], after[valid])


def test_a_later_item_never_changes_an_earlier_output(layer, inputs, valid, allowed):
    changed = inputs.copy()
    changed[:, 3] += 1.0
    before, after = (np.asarray(layer(x, allowed=allowed)) for x in (inputs, changed))
    np.testing.assert_array_equal(before[:, :3][valid[:, :3]], after[:, :3][valid[:, :3]])
    assert np.abs(before[2, 4] - after[2, 4]).max() > 1e-3


def test_a_query_without_keys_has_finite_outputs_and_gradients(layer, inputs, allowed):
    with tf.GradientTape() as tape:
        outputs = layer(inputs, allowed=np.zeros_like(allowed))
        loss = tf.reduce_sum(outputs**2)
    assert np.isfinite(outputs).all()
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.isfinite(gradient).all()


def test_drops_attention_weights_only_in_training(layer, inputs, allowed):
    calm = np.asarray(layer(inputs, allowed=allowed, training=False))
    np.testing.assert_array_equal(layer(inputs, allowed=allowed), calm)
    assert np.abs(layer(inputs, allowed=allowed, training=True) - calm).max() > 1e-3


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 can't be divided into 3"):
        SelfAttention(num_heads=3).build((None, None, 8))


def test_config_round_trip():
    layer = SelfAttention(num_heads=2, dropout=0.3, initializer_stddev=0.1)
    config = layer.get_config()
    assert SelfAttention.from_config(config).get_config() == config
    assert [config[n] for n in ("num_heads", "dropout", "initializer_stddev")] == [2, 0.3, 0.1]


def test_saved_layer_gives_the_same_output(layer, inputs, allowed, bias, reload):
    loaded = reload(layer, inputs, allowed, bias)
    expected = layer(inputs, allowed=allowed, bias=bias)
    np.testing.assert_array_equal(loaded(inputs, allowed, bias), expected)


def test_mixed_precision_is_near_float32(layer, inputs, valid, allowed, bias, in_mixed_precision):
    outputs = in_mixed_precision(layer, inputs, allowed, bias)
    assert np.isfinite(outputs).all()
    expected = np.asarray(layer(inputs, allowed=allowed, bias=bias))
    np.testing.assert_allclose(outputs[valid], expected[valid], atol=0.1)
