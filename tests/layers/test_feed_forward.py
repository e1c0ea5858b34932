import math

import numpy as np
import pytest

from tf_iclrec.layers.feed_forward import FeedForward


@pytest.fixture
def layer(randomize, inputs):
    layer = FeedForward(hidden_dim=12, dropout=0.5)
    layer.build(inputs.shape)
    return randomize(layer)


def exact_gelu(values):
    return np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))(values)


def test_matches_slow_transcription(layer, inputs, slow_layer_norm):
    kernel, shift = layer.expand.get_weights()
    output_kernel, output_shift = layer.contract.get_weights()
    assert kernel.shape == (8, 12)
    update = exact_gelu(inputs @ kernel + shift) @ output_kernel + output_shift
    expected = slow_layer_norm(inputs + update, layer.norm)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_a_position_changes_no_other(layer, inputs):
    changed = inputs.copy()
    changed[:, 2] += 1.0
    difference = np.abs(np.asarray(layer(changed)) - layer(inputs)).max(axis=(0, 2))
    assert difference[2] > 1e-3
    assert not difference[[0, 1, 3, 4]].any()


def test_drops_the_update_only_in_training(layer, inputs, slow_layer_norm):
    calm = np.asarray(layer(inputs, training=False))
    np.testing.assert_array_equal(layer(inputs), calm)
    assert np.abs(layer(inputs, training=True) - calm).max() > 1e-3
    # With nearly all of it dropped only the residual remains.
    layer.output_dropout.rate = 1 - 1e-9
    expected = slow_layer_norm(inputs, layer.norm)
    np.testing.assert_allclose(layer(inputs, training=True), expected, rtol=1e-4, atol=1e-5)


def test_initial_kernels_have_the_given_spread():
    layer = FeedForward(hidden_dim=100, initializer_stddev=0.5)
    layer.build((None, None, 100))
    for dense in (layer.expand, layer.contract):
        assert np.std(dense.get_weights()[0]) == pytest.approx(0.5, rel=0.05)


def test_config_round_trip():
    settings = {"hidden_dim": 12, "dropout": 0.3, "initializer_stddev": 0.1}
    config = FeedForward(**settings).get_config()
    assert config.items() >= settings.items()
    assert FeedForward.from_config(config).get_config() == config


def test_saved_layer_gives_the_same_output(layer, inputs, reload):
    np.testing.assert_array_equal(reload(layer, inputs)(inputs), layer(inputs))


def test_mixed_precision_is_near_float32(layer, inputs, in_mixed_precision):
    np.testing.assert_allclose(in_mixed_precision(layer, inputs), layer(inputs), atol=0.1)
