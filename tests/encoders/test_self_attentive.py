import keras
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


def test_gives_hidden_states_that_are_zero_at_padding(encoder):
    hidden = encode(encoder, BATCH)
    assert hidden.shape == (3, 6, 16)
    assert not hidden[BATCH == 0].any()
    assert (np.abs(hidden[BATCH != 0]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize(("left", "right"), [(0, 0), (4, 0), (0, 4), (1, 0), (0, 1)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = encode(encoder, [0] * left + ITEMS + [0] * right)
    alone = encode(encoder, ITEMS)
    np.testing.assert_allclose(padded[:, left : left + len(ITEMS)], alone, atol=2e-6)


def test_other_rows_of_the_batch_change_nothing(encoder):
    together = encode(encoder, BATCH)
    for row, ids in enumerate(BATCH):
        np.testing.assert_allclose(together[row], encode(encoder, ids)[0], atol=2e-6)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_later_item_never_changes_an_earlier_output(encoder, place):
    changed = list(ITEMS)
    changed[place] = 20
    before, after = encode(encoder, ITEMS)[0], encode(encoder, changed)[0]
    np.testing.assert_allclose(before[:place], after[:place], atol=1e-6)
    assert (np.abs(before[place:] - after[place:]).max(axis=-1) > 1e-3).all()


def test_with_relative_positions_a_place_is_encoded_as_the_prefix_that_ends_there():
    """So training at all places is training on all prefixes. Positions counted from the end of
    the sequence differ between the two."""
    relative, absolute = build(relative_positions=True), build(relative_positions=False)
    for length in range(1, len(ITEMS)):
        prefix = encode(relative, ITEMS[:length])[0, -1]
        np.testing.assert_allclose(encode(relative, ITEMS)[0, length - 1], prefix, atol=2e-6)
        prefix = encode(absolute, ITEMS[:length])[0, -1]
        assert np.abs(encode(absolute, ITEMS)[0, length - 1] - prefix).max() > 1e-2


def test_the_order_of_earlier_items_matters(encoder):
    last, other = encode(encoder, [5, 9, 4])[0, -1], encode(encoder, [9, 5, 4])[0, -1]
    assert np.abs(last - other).max() > 1e-3


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


def test_accepts_sequences_of_the_full_length(encoder):
    assert np.isfinite(encode(encoder, np.arange(3, 11))).all()


@pytest.mark.parametrize("zero_weights", [False, True])
def test_a_row_of_padding_has_finite_outputs_and_gradients(encoder, zero_weights):
    if zero_weights:  # As published weights have it for the padding id.
        encoder.item_embedding.set_weights([np.zeros((30, 16))])
    ids = np.array([[0, 0, 0], [0, 5, 9]])
    with tf.GradientTape() as tape:
        hidden = encoder({"item_ids": ids}, training=True)
        loss = tf.reduce_sum(hidden**2)
    assert not np.asarray(hidden)[0].any()
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_padding_gets_no_gradient(encoder):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder({"item_ids": BATCH}) ** 2)
    gradient = tape.gradient(loss, encoder.item_embedding.embeddings.value)
    gradient = np.asarray(tf.convert_to_tensor(gradient))
    assert not gradient[0].any()
    assert gradient[[4, 5, 7, 8, 9]].any(axis=1).all()


def test_drops_values_only_in_training(encoder):
    calm = encode(encoder, BATCH, training=False)
    np.testing.assert_array_equal(encode(encoder, BATCH), calm)
    assert np.abs(encode(encoder, BATCH, training=True) - calm).max() > 1e-3


def test_item_vectors_are_the_input_embeddings_without_the_special_ids(encoder):
    table = encoder.item_embedding.get_weights()[0]
    assert encoder.item_vectors().shape == (27, 16)
    np.testing.assert_array_equal(encoder.item_vectors(), table[3:])
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), table[[[3, 29]]])


def test_feedforward_is_four_times_as_wide_by_default():
    encoder = build(feedforward_dim=None)
    assert encoder.feedforward_dim == 64
    assert encoder.transformer.blocks[0].feed_forward.expand.get_weights()[0].shape == (16, 64)


def test_config_round_trip(encoder):
    config = encoder.get_config()
    assert config.items() >= SETTINGS.items()
    assert config["relative_positions"] == encoder.relative_positions
    assert SelfAttentiveEncoder.from_config(config).get_config() == config


def test_saved_encoder_gives_the_same_output(encoder, tmp_path):
    inputs = {"item_ids": keras.Input((None,), dtype="int32", name="item_ids")}
    keras.Model(inputs, encoder(inputs)).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(loaded({"item_ids": BATCH}), encode(encoder, BATCH))


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(encoder, dtype):
    half = build(relative_positions=encoder.relative_positions, dtype=dtype)
    assert half({"item_ids": BATCH}).dtype == dtype.removeprefix("mixed_")
    hidden = encode(half, BATCH)
    assert np.isfinite(hidden).all()
    np.testing.assert_allclose(hidden, encode(encoder, BATCH), atol=0.1)
    assert half.item_vectors().dtype == "float32"
