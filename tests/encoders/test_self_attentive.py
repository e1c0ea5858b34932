import numpy as np
import pytest

from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.layers.masks import causal_mask

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 16,
    "num_blocks": 2,
    "num_heads": 2,
    "feedforward_dim": 24,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = SelfAttentiveEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.3, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[True, False], ids=["relative", "absolute"])
def encoder(request):
    return build(relative_positions=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


@pytest.mark.parametrize("relative", [True, False])
def test_positions_enter_where_they_should(relative):
    encoder = build(relative_positions=relative)
    ids = np.array([ITEMS])
    valid = np.ones((1, 4), dtype=bool)
    transformer = encoder.transformer
    hidden = encoder.item_embedding(ids)
    if relative:
        biases = [positions(valid) for positions in transformer.positions]
        assert np.abs(biases[0] - biases[1]).max() > 0.1
    else:
        hidden = hidden + transformer.positions[0].table[-4:]
        biases = [None, None]
    hidden = transformer.embedding_norm(hidden)
    for block, bias in zip(transformer.blocks, biases, strict=True):
        hidden = block(hidden, allowed=causal_mask(valid), bias=bias)
    np.testing.assert_allclose(encode(encoder, ITEMS), hidden, atol=1e-6)


def test_item_vectors_are_the_input_embeddings_without_the_special_ids(encoder):
    table = encoder.item_embedding.get_weights()[0]
    assert encoder.item_vectors().shape == (27, 16)
    np.testing.assert_array_equal(encoder.item_vectors(), table[3:])
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), table[[[3, 29]]])


def test_feedforward_is_four_times_as_wide_by_default():
    encoder = build(feedforward_dim=None)
    assert encoder.feedforward_dim == 64
    assert encoder.transformer.blocks[0].feed_forward.expand.get_weights()[0].shape == (16, 64)
