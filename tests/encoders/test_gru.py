import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.encoders.gru import GruEncoder
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 16,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the biases included."""
    encoder = GruEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.3, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(
    params=[{}, {"num_layers": 2, "gru_dim": 12}], ids=["one_layer", "two_layers_of_other_width"]
)
def encoder(request):
    return build(**request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slow_states(layer, inputs):
    """Hidasi et al. Eq. 2-5, step by step, with the reset gate after the product."""
    kernel, recurrent, bias, recall_bias = (w.numpy().astype("float64") for w in layer.weights)
    wz, wr, w = np.split(kernel, 3, axis=1)
    uz, ur, u = np.split(recurrent, 3, axis=1)
    bz, br, b = np.split(bias, 3)
    state, states = np.zeros(layer.units), []
    for x in inputs:
        update = sigmoid(x @ wz + state @ uz + bz)
        reset = sigmoid(x @ wr + state @ ur + br)
        candidate = np.tanh(x @ w + b + reset * (state @ u + recall_bias))
        state = (1 - update) * state + update * candidate
        states.append(state)
    return np.array(states)


def test_matches_slow_transcription(encoder):
    hidden = encoder.item_embedding.get_weights()[0][ITEMS]
    for layer in encoder.recurrent_layers:
        hidden = slow_states(layer, hidden)
    if encoder.output_projection:
        kernel, bias = encoder.output_projection.get_weights()
        hidden = hidden @ kernel + bias
    np.testing.assert_allclose(encode(encoder, ITEMS)[0], hidden, atol=2e-6)


def test_gives_hidden_states_that_are_zero_at_padding(encoder):
    hidden = encode(encoder, BATCH)
    assert hidden.shape == (3, 6, 16)
    assert not hidden[BATCH == 0].any()
    assert (np.abs(hidden[BATCH != 0]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize(("left", "right"), [(0, 0), (4, 0), (0, 4), (1, 0), (0, 1)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = encode(encoder, [0] * left + ITEMS + [0] * right)
    alone = encode(encoder, ITEMS)
    np.testing.assert_allclose(padded[:, left : left + len(ITEMS)], alone, atol=1e-6)


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


def test_accepts_sequences_of_the_full_length(encoder):
    assert np.isfinite(encode(encoder, np.arange(3, 11))).all()


def test_a_row_of_padding_has_finite_outputs_and_gradients(encoder):
    with tf.GradientTape() as tape:
        hidden = encoder({"item_ids": np.array([[0, 0, 0], [0, 5, 9]])}, training=True)
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


def test_declares_its_settings():
    declared = settings_of(GruEncoder)
    assert {"hidden_dim", "dropout", "num_layers", "gru_dim"} <= set(declared)
    assert (declared["num_layers"].default, declared["gru_dim"].default) == (1, 0)


def test_config_round_trip(encoder):
    config = encoder.get_config()
    assert config.items() >= SETTINGS.items()
    assert (config["num_layers"], config["gru_dim"]) == (encoder.num_layers, encoder.gru_dim)
    assert GruEncoder.from_config(config).get_config() == config


def test_trained_saved_and_loaded_recommender_gives_the_same_scores(encoder, tmp_path):
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    model.compile(optimizer="adam", jit_compile=False)
    targets = np.where(BATCH, np.roll(BATCH, -1, axis=1), 0)
    batches = tf.data.Dataset.from_tensors({"item_ids": BATCH, "target_ids": targets}).repeat(2)
    before = model({"item_ids": BATCH}).numpy()
    model.fit(batches, shuffle=False, verbose=0)
    scores = model({"item_ids": BATCH}).numpy()
    assert np.abs(scores - before).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded({"item_ids": BATCH}), scores)


def test_works_in_a_saved_model(encoder, tmp_path):
    archive = keras.export.ExportArchive()
    archive.track(encoder)
    archive.add_endpoint(
        "encode",
        lambda item_ids: encoder({"item_ids": item_ids}),
        [tf.TensorSpec([None, None], tf.int32)],
    )
    archive.write_out(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    for ids in (BATCH, BATCH[:1, :3]):
        np.testing.assert_allclose(exported.encode(ids), encode(encoder, ids), atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(encoder, dtype):
    half = build(num_layers=encoder.num_layers, gru_dim=encoder.gru_dim, dtype=dtype)
    assert half({"item_ids": BATCH}).dtype == dtype.removeprefix("mixed_")
    hidden = encode(half, BATCH)
    assert np.isfinite(hidden).all()
    np.testing.assert_allclose(hidden, encode(encoder, BATCH), atol=0.1)
    assert half.item_vectors().dtype == "float32"
