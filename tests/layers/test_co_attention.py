import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.co_attention import CoAttention


@pytest.fixture
def layer(randomize, streams):
    layer = CoAttention(num_heads=2, dropout=0.5)
    layer.build(*(stream.shape for stream in streams))
    return randomize(layer)


@pytest.mark.parametrize("with_biases", [False, True])
def test_matches_slow_transcription_at_real_positions(
    layer, streams, valid, allowed, biases, with_biases, slow_attend
):
    outputs = layer(*streams, allowed=allowed, biases=biases if with_biases else None)
    for row, real in enumerate(valid):
        # IPSRec Eq. 9-11.
        (item_query, item_key, item_value), (provider_query, provider_key, provider_value) = (
            np.split(stream[row] @ kernel + shift, 3, axis=-1)
            for stream, (kernel, shift) in zip(
                streams, (dense.get_weights() for dense in layer.query_key_value), strict=True
            )
        )
        item_bias, provider_bias = (bias * with_biases for bias in biases)
        attended = [
            # Eq. 7 and 8.
            slow_attend(provider_query, item_key, item_value, allowed[row], item_bias),
            slow_attend(item_query, provider_key, provider_value, allowed[row], provider_bias),
        ]
        for output, values, dense in zip(outputs, attended, layer.output_dense, strict=True):
            kernel, shift = dense.get_weights()
            expected = values @ kernel + shift
            np.testing.assert_allclose(
                np.asarray(output)[row, real], expected[real], rtol=1e-4, atol=1e-5
            )


def test_a_query_comes_from_the_other_stream_at_its_own_step(layer, streams, allowed):
    items, providers = streams
    moved = providers.copy()
    moved[:, 3] += 1.0
    before, after = (layer(items, other, allowed=allowed) for other in (providers, moved))
    changed = [
        np.abs(np.asarray(a) - b).max(axis=-1)[2] > 1e-3 for a, b in zip(after, before, strict=True)
    ]
    # As the query it changes what its own step reads of the items, as key and value what
    # later steps read of the providers.
    assert changed[0].tolist() == [False, False, False, True, False]
    assert changed[1].tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("side", [0, 1])
def test_neither_padding_nor_a_later_step_changes_an_output(layer, streams, valid, allowed, side):
    changed = [stream.copy() for stream in streams]
    changed[side][~valid] += 100.0
    changed[side][:, 3] += 1.0
    earlier = valid & (np.arange(5) < 3)
    before, after = (layer(*pair, allowed=allowed) for pair in (streams, changed))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(np.asarray(new)[earlier], np.asarray(old)[earlier], atol=1e-6)
        assert np.abs(new - old)[:, 3].max() > 1e-3


def test_a_query_without_keys_has_finite_outputs_and_gradients(layer, streams, allowed):
    with tf.GradientTape() as tape:
        outputs = layer(*streams, allowed=np.zeros_like(allowed))
        loss = sum(tf.reduce_sum(output**2) for output in outputs)
    assert np.isfinite(outputs).all()
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.isfinite(gradient).all()


def test_drops_attention_weights_of_both_streams_only_in_training(layer, streams, allowed):
    calm = np.asarray(layer(*streams, allowed=allowed, training=False))
    np.testing.assert_array_equal(layer(*streams, allowed=allowed), calm)
    dropped = np.asarray(layer(*streams, allowed=allowed, training=True))
    assert (np.abs(dropped - calm).max(axis=(1, 2, 3)) > 1e-3).all()


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 can't be divided into 3"):
        CoAttention(num_heads=3).build((None, None, 8))


def test_config_round_trip():
    settings = {"num_heads": 2, "dropout": 0.3, "initializer_stddev": 0.1}
    config = CoAttention(**settings).get_config()
    assert config.items() >= settings.items()
    assert CoAttention.from_config(config).get_config() == config


def test_saved_layer_gives_the_same_output(layer, streams, allowed, biases, reload):
    loaded = reload(layer, *streams, allowed, biases)
    expected = layer(*streams, allowed=allowed, biases=biases)
    np.testing.assert_array_equal(loaded(*streams, allowed, biases), expected)


def test_mixed_precision_is_near_float32(
    layer, streams, valid, allowed, biases, in_mixed_precision
):
    outputs = in_mixed_precision(layer, *streams, allowed, biases)
    expected = layer(*streams, allowed=allowed, biases=biases)
    for output, exact in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output[valid], np.asarray(exact)[valid], atol=0.1)
