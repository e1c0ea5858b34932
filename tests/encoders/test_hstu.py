import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.encoders.hstu import HSTUEncoder

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 8,
    "num_blocks": 2,
    "num_heads": 2,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the position tables included."""
    encoder = HSTUEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.4, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[1, 2], ids="{} heads".format)
def encoder(request):
    return build(num_heads=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def norm(x):
    return (x - x.mean()) / math.sqrt(x.var() + 1e-6)


def silu(x):
    return x / (1 + np.exp(-x))


def slow_states(encoder, items):
    """HSTU Eq. 1-3, query by query and head by head."""
    dim, heads = encoder.hidden_dim, encoder.num_heads
    size = dim // heads
    x = encoder.item_embedding.get_weights()[0].astype("float64")[items] * math.sqrt(dim)
    for block, positions in zip(encoder.blocks, encoder.positions, strict=True):
        (kernel,) = block.projection.get_weights()
        output_kernel, output_bias = block.output_dense.get_weights()
        (table,) = positions.get_weights()
        u, v, q, k = np.split(np.array([silu(norm(row) @ kernel) for row in x]), 4, axis=1)
        y = np.zeros_like(x)
        for query in range(len(items)):
            attended = np.zeros(dim)
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                for key in range(query + 1):
                    score = q[query, part] @ k[key, part] + table[head, query - key]
                    attended[part] += silu(score) / encoder.max_length * v[key, part]
            y[query] = x[query] + (norm(attended) * u[query]) @ output_kernel + output_bias
        x = y
    return x


def test_matches_slow_transcription(encoder):
    hidden = encode(encoder, BATCH)
    for row, ids in enumerate(BATCH):
        expected = slow_states(encoder, ids[ids != 0])
        np.testing.assert_allclose(hidden[row][ids != 0], expected, rtol=1e-3, atol=1e-4)


def test_gives_hidden_states_that_are_zero_at_padding(encoder):
    hidden = encode(encoder, BATCH)
    assert hidden.shape == (3, 6, 8)
    assert not hidden[BATCH == 0].any()
    assert (np.abs(hidden[BATCH != 0]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize(("left", "right"), [(0, 0), (4, 0), (0, 4), (1, 0), (0, 1)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = encode(encoder, [0] * left + ITEMS + [0] * right)
    alone = encode(encoder, ITEMS)
    np.testing.assert_allclose(padded[:, left : left + len(ITEMS)], alone, atol=1e-5)


def test_other_rows_of_the_batch_change_nothing(encoder):
    together = encode(encoder, BATCH)
    for row, ids in enumerate(BATCH):
        np.testing.assert_allclose(together[row], encode(encoder, ids)[0], atol=1e-5)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_later_item_never_changes_an_earlier_output(encoder, place):
    changed = list(ITEMS)
    changed[place] = 20
    before, after = encode(encoder, ITEMS)[0], encode(encoder, changed)[0]
    np.testing.assert_allclose(before[:place], after[:place], atol=1e-6)
    assert (np.abs(before[place:] - after[place:]).max(axis=-1) > 1e-3).all()


def test_a_place_is_encoded_as_the_prefix_that_ends_there(encoder):
    for length in range(1, len(ITEMS)):
        prefix = encode(encoder, ITEMS[:length])[0, -1]
        np.testing.assert_allclose(encode(encoder, ITEMS)[0, length - 1], prefix, atol=1e-5)


def test_the_order_of_earlier_items_matters(encoder):
    last, other = encode(encoder, [5, 9, 4])[0, -1], encode(encoder, [9, 5, 4])[0, -1]
    assert np.abs(last - other).max() > 1e-3


def test_accepts_sequences_of_the_full_length(encoder):
    assert np.isfinite(encode(encoder, np.arange(3, 11))).all()


def test_a_row_of_padding_has_finite_outputs_and_gradients(encoder):
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


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 8 can't be divided into 3"):
        build(num_heads=3)


def test_config_round_trip(encoder):
    config = encoder.get_config()
    assert config.items() >= (SETTINGS | {"num_heads": encoder.num_heads}).items()
    assert HSTUEncoder.from_config(config).get_config() == config


def test_saved_recommender_gives_the_same_scores(encoder, tmp_path):
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    inputs = {"item_ids": BATCH}
    scores = model(inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), scores, atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(encoder, dtype):
    half = build(num_heads=encoder.num_heads, dtype=dtype)
    assert half({"item_ids": BATCH}).dtype == dtype.removeprefix("mixed_")
    hidden = encode(half, BATCH)
    assert np.isfinite(hidden).all()
    np.testing.assert_allclose(hidden, encode(encoder, BATCH), atol=0.15)
