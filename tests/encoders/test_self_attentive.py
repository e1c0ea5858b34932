import numpy as np
import pytest
import tensorflow as tf

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


MASKED = np.array([[0, 0, 5, 0, 4, 9], [0, 0, 5, 9, 4, 0], [7, 8, *ITEMS]], dtype="int32")


# Padded places: the first of all eight, some of them, each for itself.
@pytest.fixture(params=[(1, False), (3, False), (3, True), (8, False)], ids=str)
def padded(request):
    number, relative = request.param
    return build(padding_places=number, relative_positions=relative)


def whole(encoder, ids):
    """States of all places, zero at those that are left out; and for how many each stands."""
    states, weights = encoder.encode_whole({"item_ids": np.asarray(ids, dtype="int32")})
    after = states.shape[1] - encoder.padding_places
    places = [*range(encoder.padding_places), *range(8 - after, 8)]
    found, stand_for = np.zeros((len(ids), 8, 16)), np.zeros((len(ids), 8))
    found[:, places], stand_for[:, places] = states, weights
    return found * (stand_for > 0)[..., np.newaxis], stand_for


def test_of_real_positions_the_whole_has_the_hidden_states(padded):
    states, weights = whole(padded, BATCH[[0, 2]])
    hidden, real = encode(padded, BATCH[[0, 2]]), BATCH[[0, 2]] != 0
    np.testing.assert_allclose(states[:, 2:][real], hidden[real], atol=2e-6)
    assert (weights[:, 2:][real] == 1).all()


def test_padded_places_stand_for_all_that_are_padded(padded):
    _, weights = whole(padded, [[0, 0, 0, 0, 5], [0, 5, 9, 4, 9], [4, 0, 0, 0, 5]])
    number = padded.padding_places
    for row, first in zip(weights, (7, 4, 3), strict=True):
        kept = min(number, first)
        assert row[:kept] == pytest.approx(first / kept)
        assert not row[kept:first].any()
        assert (row[first:] == 1).all()
    assert weights.sum(axis=1) == pytest.approx(8)


def test_neither_padding_nor_other_rows_change_the_whole(padded):
    wider = whole(padded, np.pad(MASKED, [(0, 0), (2, 0)]))
    for part, expected in zip(whole(padded, MASKED), wider, strict=True):
        np.testing.assert_allclose(part, expected, atol=2e-6)
    for row in range(len(MASKED)):
        alone = whole(padded, MASKED[row : row + 1])
        for part, expected in zip(alone, wider, strict=True):
            np.testing.assert_allclose(part[0], expected[row], atol=2e-6)


def test_a_place_without_an_item_sees_all_or_what_is_before_it(padded):
    """The padded ones see all; that of a masked item behind a real one what comes before it."""
    before, weights = whole(padded, MASKED[:2])
    after, _ = whole(padded, np.where(MASKED[:2] == 4, 11, MASKED[:2]))  # In place 6.
    seen = np.abs(after - before).max(axis=-1) > 1e-4
    expected = (weights > 0) & np.array([True] * 4 + [False, False, True, True])
    np.testing.assert_array_equal(seen, expected)


def test_a_masked_item_keeps_its_place(padded):
    """A tail that is masked does not move what is before it, as the same item at the end shows."""
    (first, masked, moved), _ = whole(padded, [[5, 9, 4, 9], [5, 0, 0, 0], [0, 0, 0, 5]])
    np.testing.assert_allclose(masked[4], first[4], atol=2e-6)
    assert (np.abs(moved[7] - first[4]).max() > 1e-2) != padded.relative_positions


def test_the_vector_of_padding_is_not_trained(padded):
    with tf.GradientTape() as tape:
        states, _ = padded.encode_whole({"item_ids": MASKED})
        loss = tf.reduce_sum(states**2)
    table = padded.item_embedding.embeddings
    gradient = tf.convert_to_tensor(tape.gradient(loss, table.value)).numpy()
    rows = np.flatnonzero(np.abs(gradient).max(axis=-1) > 1e-6)
    assert rows.tolist() == [4, 5, 7, 8, 9]


def test_there_are_no_more_padded_places_than_places():
    assert build(padding_places=50).padding_places == 8
