import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.encoders.convolutional import ConvolutionalEncoder
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 6,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "num_users": 4,
    "window": 3,
    "num_horizontal_filters": 5,
    "num_vertical_filters": 2,
}
ITEMS = [5, 9, 4, 9, 11]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
USERS = np.array([2, 0, 3], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the biases included."""
    encoder = ConvolutionalEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.5, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture
def encoder():
    return build()


def encode(encoder, ids, users=2, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    inputs = {"item_ids": ids}
    if users is not None:
        inputs["users"] = np.broadcast_to(np.asarray(users, "int32"), len(ids))
    return np.asarray(encoder(inputs, **kwargs)).astype("float32")


def slow_scores(encoder, items, user):
    """Tang and Wang Sec. 3.2-3.3 for the last item of a sequence, filter by filter."""
    table = encoder.item_embedding.get_weights()[0]
    image = np.zeros((encoder.window, encoder.hidden_dim))
    for row, item in enumerate(reversed(items[-encoder.window :])):
        image[encoder.window - 1 - row] = table[item]
    found = []
    biases = iter(encoder.filters.bias.numpy())
    for height in range(1, encoder.window + 1):
        filters = encoder.filters.horizontal[height - 1].numpy()
        for number in range(encoder.num_horizontal_filters):
            bias = next(biases)
            fits = [
                max(0, (image[start : start + height] * filters[:, :, number]).sum() + bias)
                for start in range(encoder.window - height + 1)
                # A place in front of the first item is none.
                if start + height > encoder.window - len(items)
            ]
            found.append(max(fits))
    for weights in encoder.filters.vertical.numpy().T:
        found.extend(sum(weight * row for weight, row in zip(weights, image, strict=True)))
    kernel, bias = encoder.join.get_weights()
    joined = list(np.maximum(0, np.array(found) @ kernel + bias))
    if encoder.num_users:
        known = user is not None and 0 <= user < encoder.num_users
        own = encoder.user_embedding.get_weights()[0][user] if known else np.zeros(6)
        joined.extend(own)
    output = encoder.output_embedding.get_weights()[0][3:]
    return output[:, :-1] @ np.array(joined) + output[:, -1]


@pytest.mark.parametrize("window", [1, 3, 5])
@pytest.mark.parametrize("num_users", [0, 4])
@pytest.mark.parametrize("user", [2, -1, 4, None])
def test_scores_match_a_slow_transcription(window, num_users, user):
    encoder = build(window=window, num_users=num_users)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    for length in range(1, len(ITEMS) + 1):
        items = ITEMS[:length]
        hidden = encode(encoder, [0, *items, 0], user)[0, length]
        expected = slow_scores(encoder, items, user)
        np.testing.assert_allclose(model.score(hidden[None])[0], expected, atol=1e-5)
        # Training at all places is training on all windows.
        at_once = encode(encoder, ITEMS, user)[0, length - 1]
        np.testing.assert_allclose(at_once, hidden, atol=2e-6)


def test_gives_hidden_states_that_are_zero_at_padding(encoder):
    hidden = encode(encoder, BATCH, USERS)
    assert hidden.shape == (3, 7, encoder.output_dim) == (3, 7, 13)
    assert not hidden[BATCH == 0].any()
    assert (np.abs(hidden[BATCH != 0]).max(axis=-1) > 0.1).all()


@pytest.mark.parametrize(("left", "right"), [(0, 0), (4, 0), (0, 4), (1, 0), (0, 1)])
def test_padding_never_changes_a_real_position(encoder, left, right):
    padded = encode(encoder, [0] * left + ITEMS + [0] * right)
    alone = encode(encoder, ITEMS)
    np.testing.assert_allclose(padded[:, left : left + len(ITEMS)], alone, atol=2e-6)


def test_other_rows_of_the_batch_change_nothing(encoder):
    together = encode(encoder, BATCH, USERS)
    for row, ids in enumerate(BATCH):
        alone = encode(encoder, ids, USERS[row])[0]
        np.testing.assert_allclose(together[row], alone, atol=2e-6)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_later_item_never_changes_an_earlier_output(encoder, place):
    changed = list(ITEMS)
    changed[place] = 20
    before, after = encode(encoder, ITEMS)[0], encode(encoder, changed)[0]
    np.testing.assert_allclose(before[:place], after[:place], atol=1e-6)
    # The window ends at the item itself.
    differs = np.abs(before - after).max(axis=-1) > 1e-3
    assert differs[place : place + encoder.window].all()
    assert not differs[place + encoder.window :].any()


def test_accepts_sequences_of_the_full_length(encoder):
    assert np.isfinite(encode(encoder, np.arange(3, 11))).all()


def test_a_row_of_padding_has_finite_outputs_and_gradients(encoder):
    inputs = {"item_ids": np.array([[0, 0, 0], [0, 5, 9]]), "users": np.array([1, -1])}
    with tf.GradientTape() as tape:
        hidden = encoder(inputs, training=True)
        loss = tf.reduce_sum(hidden**2)
    assert not np.asarray(hidden)[0].any()
    # The items' output vectors take no part.
    weights = [w for w in encoder.trainable_variables if "output" not in w.path]
    assert len(weights) == len(encoder.trainable_variables) - 1
    for gradient in tape.gradient(loss, [weight.value for weight in weights]):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_padding_gets_no_gradient(encoder):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder({"item_ids": BATCH, "users": USERS}) ** 2)
    gradient = tape.gradient(loss, encoder.item_embedding.embeddings.value)
    gradient = np.asarray(tf.convert_to_tensor(gradient))
    assert not gradient[0].any()
    assert gradient[[4, 5, 7, 8, 9, 11]].any(axis=1).all()


def test_every_weight_learns(encoder):
    """A few steps of gradient descent lower the loss, and none of the weights stays."""
    before = encoder.get_weights()
    optimizer = keras.optimizers.Adam(0.01)
    targets = np.maximum(np.roll(BATCH, -1, axis=1) - 3, 0)

    @tf.function(jit_compile=False)
    def step():
        with tf.GradientTape() as tape:
            hidden = encoder({"item_ids": BATCH, "users": USERS}, training=True)
            logits = tf.matmul(hidden, encoder.item_vectors(), transpose_b=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(tf.boolean_mask(loss, BATCH != 0))
        variables = encoder.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    losses = [float(step()) for _ in range(20)]
    assert losses[-1] < losses[0]
    for old, new in zip(before, encoder.get_weights(), strict=True):
        assert (old != new).any()


def test_drops_values_only_in_training(encoder):
    calm = encode(encoder, BATCH, USERS, training=False)
    np.testing.assert_array_equal(encode(encoder, BATCH, USERS), calm)
    assert np.abs(encode(encoder, BATCH, USERS, training=True) - calm).max() > 1e-3


def test_item_vectors_are_a_table_of_their_own(encoder):
    table = encoder.output_embedding.get_weights()[0]
    assert encoder.item_vectors().shape == (27, 13)
    np.testing.assert_array_equal(encoder.item_vectors(), table[3:])
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), table[[[3, 29]]])


def test_is_made_for_a_catalogue_with_its_users():
    encoder = ConvolutionalEncoder.for_catalogue(Catalogue(27, num_users=7), hidden_dim=4)
    assert (encoder.vocabulary_size, encoder.num_users, encoder.output_dim) == (30, 7, 9)
    assert encoder.reads == ("items", "users")


def test_declares_its_settings():
    declared = settings_of(ConvolutionalEncoder)
    names = ("window", "num_horizontal_filters", "num_vertical_filters")
    assert [declared[name].default for name in names] == [5, 16, 4]
    assert "num_users" not in declared


def test_config_round_trip(encoder):
    config = encoder.get_config()
    assert config.items() >= SETTINGS.items()
    assert ConvolutionalEncoder.from_config(config).get_config() == config


def test_saved_recommender_gives_the_same_scores(encoder, tmp_path):
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    model.build()
    inputs = {"item_ids": BATCH, "users": USERS}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_works_in_a_saved_model(encoder, tmp_path):
    archive = keras.export.ExportArchive()
    archive.track(encoder)
    archive.add_endpoint(
        "encode",
        lambda item_ids, users: encoder({"item_ids": item_ids, "users": users}),
        [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)],
    )
    archive.write_out(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    for ids, users in ((BATCH, USERS), (BATCH[:1, :3], USERS[:1])):
        expected = encode(encoder, ids, users)
        np.testing.assert_allclose(exported.encode(ids, users), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near_float32(encoder, dtype):
    half = build(dtype=dtype)
    assert half({"item_ids": BATCH, "users": USERS}).dtype == dtype.removeprefix("mixed_")
    hidden = encode(half, BATCH, USERS)
    np.testing.assert_allclose(hidden, encode(encoder, BATCH, USERS), atol=0.1)
    assert half.item_vectors().dtype == "float32"
