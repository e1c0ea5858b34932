import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.co_attention_block import CoAttentionBlock
from tf_iclrec.layers.masks import causal_mask


@pytest.fixture
def block(randomize, streams):
    block = CoAttentionBlock(num_heads=2, feedforward_dim=12, dropout=0.5)
    block.build(*(stream.shape for stream in streams))
    return randomize(block)


def test_each_stream_has_its_own_residual_norm_and_feed_forward(
    block, streams, allowed, biases, slow_layer_norm
):
    attended = block.attention(*streams, allowed=allowed, biases=biases)
    outputs = block(*streams, allowed=allowed, biases=biases)
    for stream, update, norm, feed_forward, output in zip(
        streams, attended, block.attention_norms, block.feed_forwards, outputs, strict=True
    ):
        hidden = slow_layer_norm(stream + np.asarray(update), norm)
        np.testing.assert_allclose(output, feed_forward(hidden), rtol=1e-4, atol=1e-5)


def test_matches_the_published_program(shared):
    with np.load(shared / "golden" / "coattention" / "block.npz") as golden:
        golden = dict(golden)

    def parameters(*names):
        """Kernels side by side, from (out, in), or scales; then biases."""
        names = [f"w/bi_{name}" for name in names]
        kernels = np.concatenate([golden[f"{name}.weight"].T for name in names], axis=-1)
        return [kernels, np.concatenate([golden[f"{name}.bias"] for name in names])]

    block = CoAttentionBlock(num_heads=2, feedforward_dim=256)
    block.build(*(golden[f"{side}_in"].shape for side in ("item", "provider")))
    for stream, (number, letter) in enumerate([(1, "i"), (2, "s")]):
        attention, feed_forward = block.attention, block.feed_forwards[stream]
        fused = [f"attention.{name}{number}" for name in ("query", "key", "value")]
        attention.query_key_value[stream].set_weights(parameters(*fused))
        attention.output_dense[stream].set_weights(parameters(f"attention.dense{number}"))
        block.attention_norms[stream].set_weights(parameters(f"attention.LayerNorm{number}"))
        feed_forward.expand.set_weights(parameters(f"feed_forward.{letter}_dense_1"))
        feed_forward.contract.set_weights(parameters(f"feed_forward.{letter}_dense_2"))
        feed_forward.norm.set_weights(parameters(f"feed_forward.{letter}_LayerNorm"))
    valid = golden["valid"]
    outputs = block(golden["item_in"], golden["provider_in"], allowed=causal_mask(valid))
    for side, output in zip(("item", "provider"), outputs, strict=True):
        expected = golden[f"{side}_out"][valid]
        assert expected.shape == (16, 64)
        np.testing.assert_allclose(np.asarray(output)[valid], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("side", [0, 1])
def test_neither_padding_nor_a_later_step_changes_an_output(
    block, streams, valid, allowed, biases, side
):
    changed = [stream.copy() for stream in streams]
    changed[side][~valid] += 100.0
    changed[side][:, 3] += 1.0
    earlier = valid & (np.arange(5) < 3)
    before, after = (block(*pair, allowed=allowed, biases=biases) for pair in (streams, changed))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(np.asarray(new)[earlier], np.asarray(old)[earlier], atol=1e-6)
        assert np.abs(new - old)[:, 3].max() > 1e-3


def test_a_row_of_padding_has_finite_gradients(block, streams, allowed):
    # Zero vectors: the worst case for a normalisation with a tiny epsilon.
    nothing = [np.zeros_like(stream) for stream in streams]
    with tf.GradientTape() as tape:
        outputs = block(*nothing, allowed=np.zeros_like(allowed))
        loss = sum(tf.reduce_sum(output**2) for output in outputs)
    for gradient in tape.gradient(loss, block.trainable_variables):
        assert np.isfinite(gradient).all()


def test_drops_values_of_both_streams_only_in_training(block, streams, allowed):
    calm = np.asarray(block(*streams, allowed=allowed, training=False))
    np.testing.assert_array_equal(block(*streams, allowed=allowed), calm)
    dropped = np.asarray(block(*streams, allowed=allowed, training=True))
    assert (np.abs(dropped - calm).max(axis=(1, 2, 3)) > 1e-3).all()


def test_dropout_reaches_attention_and_feed_forward(block):
    assert block.attention.dropout == block.output_dropout.rate == 0.5
    assert [feed_forward.dropout for feed_forward in block.feed_forwards] == [0.5, 0.5]


def test_config_round_trip():
    settings = {
        "num_heads": 2,
        "feedforward_dim": 12,
        "dropout": 0.3,
        "initializer_stddev": 0.1,
    }
    config = CoAttentionBlock(**settings).get_config()
    assert config.items() >= settings.items()
    assert CoAttentionBlock.from_config(config).get_config() == config


def test_saved_block_gives_the_same_output(block, streams, allowed, biases, reload):
    loaded = reload(block, *streams, allowed, biases)
    expected = block(*streams, allowed=allowed, biases=biases)
    np.testing.assert_array_equal(loaded(*streams, allowed, biases), expected)


def test_mixed_precision_is_near_float32(
    block, streams, valid, allowed, biases, in_mixed_precision
):
    outputs = in_mixed_precision(block, *streams, allowed, biases)
    expected = block(*streams, allowed=allowed, biases=biases)
    for output, exact in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output[valid], np.asarray(exact)[valid], atol=0.1)
