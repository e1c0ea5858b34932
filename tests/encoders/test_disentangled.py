import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.encoders.disentangled import DisentangledEncoder
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.disentangled_softmax import DisentangledSoftmax
from tf_iclrec.objectives.future_contrast import FutureContrast
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 16,
    "num_blocks": 1,
    "num_heads": 1,
    "feedforward_dim": 24,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
    "num_latent_intents": 3,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters."""
    encoder = DisentangledEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.3, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[True, False], ids=["relative", "absolute"])
def encoder(request):
    return build(relative_positions=request.param)


def encode(encoder, ids, **inputs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids, **inputs})).astype("float32")


def softmax(values):
    raised = np.exp(values - np.max(values))
    return raised / raised.sum()


def slow_row(encoder, ids, bias):
    """One sequence without padding, from the equations, position by position and intent by
    intent: hidden states ``(time, K, dim)`` and shares of the intents ``(time, K)``."""
    (states,) = encoder.transformer(
        [encoder.item_embedding(np.array([ids]))], np.ones((1, len(ids)), bool)
    )
    z = np.asarray(states)[0].astype("float64")
    dim = z.shape[1]

    def norm(layer, vector):
        gamma, beta = layer.get_weights()
        return gamma * (vector - vector.mean()) / np.sqrt(vector.var() + 1e-12) + beta

    (table,) = encoder.positions.get_weights()
    relative = encoder.relative_positions
    alpha = [0.0] * len(ids) if relative else table[-len(ids) :]
    kernel, shift = encoder.key_dense.get_weights()
    keys, of_intent = [], []
    for i in range(len(ids)):
        key = norm(encoder.key_norm, z[i] + alpha[i])
        keys.append(key + np.maximum(key @ kernel + shift, 0))
        own = norm(encoder.state_norm, z[i])
        closeness = [
            own @ norm(encoder.prototype_norm, prototype) / np.sqrt(dim)
            for prototype in encoder.prototypes.numpy()
        ]
        of_intent.append(softmax(np.array(closeness)))
    hidden = np.zeros((len(ids), encoder.num_latent_intents, dim))
    shares = np.zeros((len(ids), encoder.num_latent_intents))
    for t in range(len(ids)):
        query = norm(encoder.query_norm, encoder.query_bias.numpy() + alpha[t] + z[t])
        scores = [keys[i] @ query / np.sqrt(dim) for i in range(t + 1)]
        if relative:
            scores = [score + table[0, t - i] for i, score in enumerate(scores)]
        importance = softmax(np.array(scores))
        for k in range(encoder.num_latent_intents):
            collected = bias[k].astype("float64")
            for i in range(t + 1):
                collected = collected + importance[i] * of_intent[i][k] * z[i]
                shares[t, k] += importance[i] * of_intent[i][k]
            hidden[t, k] = norm(encoder.intent_norm, collected)
    return hidden, shares


@pytest.mark.parametrize("intents", [1, 3])
@pytest.mark.parametrize("relative", [True, False])
def test_matches_slow_transcription(relative, intents):
    encoder = build(relative_positions=relative, num_latent_intents=intents)
    hidden = encode(encoder, BATCH)
    shares = np.asarray(encoder.intent_shares({"item_ids": BATCH}))
    for row, ids in enumerate(BATCH):
        slow, slow_shares = slow_row(encoder, ids[ids > 0], encoder.intent_bias.numpy())
        slow = slow.reshape(len(slow), -1)
        np.testing.assert_allclose(hidden[row, ids > 0], slow, atol=2e-5)
        np.testing.assert_allclose(shares[row], slow_shares[-1], atol=1e-5)


def test_futures_have_a_bias_of_their_own(encoder):
    hidden = encode(encoder, BATCH[1:], is_future=np.array([False, True]))
    np.testing.assert_array_equal(hidden[0], encode(encoder, BATCH[1:])[0])
    slow, _ = slow_row(encoder, BATCH[2], encoder.future_intent_bias.numpy())
    np.testing.assert_allclose(hidden[1], slow.reshape(6, -1), atol=2e-5)


def test_intents_of_a_user_are_shares(encoder):
    ids = np.concatenate([BATCH, np.zeros_like(BATCH[:1])])
    shares = np.asarray(encoder.intent_shares({"item_ids": ids}))
    assert shares.shape == (4, 3)
    assert shares.dtype == "float32"
    np.testing.assert_allclose(shares[:3].sum(axis=1), 1, atol=1e-5)
    assert not shares[3].any()
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-5)
    assert np.abs(shares[0] - shares[2]).max() > 1e-3


def test_an_item_at_a_prototype_belongs_to_that_intent():
    encoder = build()
    states = np.asarray(encoder.transformer(
        [encoder.item_embedding(np.array([[5]]))], np.ones((1, 1), bool)
    )[0])[0, 0]  # fmt: skip
    encoder.prototypes.assign(np.stack([-states, states, -states]))
    for norm in (encoder.state_norm, encoder.prototype_norm):
        norm.set_weights([np.full(16, 2.0), np.zeros(16)])
    (shares,) = np.asarray(encoder.intent_shares({"item_ids": np.array([[5]])}))
    assert shares[1] > 0.999


def test_has_a_query_for_each_latent_intent(encoder):
    assert settings_of(DisentangledEncoder)["num_latent_intents"].default == 4
    assert (encoder.num_queries, encoder.output_dim, encoder.state_dim) == (3, 16, 48)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_shares_in_mixed_precision_are_near_float32(encoder, dtype):
    half = build(relative_positions=encoder.relative_positions, dtype=dtype)
    shares = [np.asarray(one.intent_shares({"item_ids": BATCH})) for one in (half, encoder)]
    np.testing.assert_allclose(*shares, atol=0.05)


def new_model(*objectives, **settings):
    keras.utils.set_random_seed(0)
    encoder = DisentangledEncoder.for_catalogue(
        Catalogue(num_items=27),
        **{k: v for k, v in SETTINGS.items() if k != "vocabulary_size"} | settings,
    )
    return SequentialRecommender(encoder, objectives or [SoftmaxCrossEntropy()])


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_scores_are_those_of_the_best_vector(encoder, temperature):
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()], temperature=temperature)
    last = encode(encoder, BATCH)[[0, 1, 2], [5, 3, 5]].reshape(3, 3, 16)
    items = encoder.item_embedding.get_weights()[0][3:]
    if temperature:
        last /= temperature * np.linalg.norm(last, axis=-1, keepdims=True)
        items = items / np.linalg.norm(items, axis=-1, keepdims=True)
    expected = np.max(last @ items.T, axis=1)
    np.testing.assert_allclose(model({"item_ids": BATCH}), expected, rtol=1e-4, atol=1e-4)


def test_saved_model_gives_the_same_shares(tmp_path):
    model = new_model()
    model.build()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    shares = [one.encoder.intent_shares({"item_ids": BATCH}) for one in (model, loaded)]
    np.testing.assert_array_equal(*shares)


BATCH_TO_LEARN = {
    "item_ids": BATCH,
    "target_ids": np.where(BATCH > 0, BATCH % 27 + 3, 0).astype("int32"),
    "future_item_ids": np.array(
        [[[0, 0, 0, 0, 5, 9], [0, 0, 0, 0, 9, 4]]] * 2 + [[[0, 0, 0, 7, 8, 5], [0, 0, 0, 9, 4, 9]]],
        dtype="int32",
    ),
}


@pytest.mark.parametrize("relative", [True, False])
def test_learns_and_every_weight_changes(relative):
    model = new_model(DisentangledSoftmax(), FutureContrast(1.0), relative_positions=relative)
    model.compile(keras.optimizers.Adam(0.01))
    data = tf.data.Dataset.from_tensors(BATCH_TO_LEARN)
    before = {weight.path: weight.numpy() for weight in model.trainable_variables}
    losses = model.fit(
        data.repeat(30), epochs=2, steps_per_epoch=15, shuffle=False, verbose=0
    ).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[1] < losses[0]
    for weight in model.trainable_variables:
        assert np.abs(weight.numpy() - before[weight.path]).max() > 1e-4, weight.path


@pytest.mark.parametrize("objective", [DisentangledSoftmax, SoftmaxCrossEntropy])
def test_a_training_without_futures_leaves_only_their_bias_alone(objective):
    model = new_model(objective())
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    bias = model.encoder.future_intent_bias
    before = bias.numpy()
    model.fit(tf.data.Dataset.from_tensors(BATCH_TO_LEARN), shuffle=False, verbose=0)
    np.testing.assert_array_equal(bias.numpy(), before)


def test_trains_in_mixed_precision():
    model = new_model(DisentangledSoftmax(), FutureContrast(1.0), dtype="mixed_bfloat16")
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(
        tf.data.Dataset.from_tensors(BATCH_TO_LEARN), shuffle=False, verbose=0
    ).history
    assert np.isfinite(history["loss"]).all()
    assert model({"item_ids": BATCH}).dtype == "float32"
