import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.encoders.disentangled import DisentangledEncoder
from tf_iclrec.encoders.self_attentive import SelfAttentiveEncoder
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.objectives.future_contrast import FutureContrast, past_to_future_losses
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy
from tf_iclrec.settings import settings_of


def slow_losses(past, future, temperature=1.0, group_ids=None):
    """Pair by pair: ``-log exp(past_uk · future_uk) / Σ exp(past_uk · future_vl)``."""
    users, intents, _ = past.shape
    losses = np.zeros((users, intents))
    for u in range(users):
        for k in range(intents):
            total = 0.0
            for v in range(users):
                if group_ids is not None and v != u and group_ids[v] == group_ids[u]:
                    continue
                for other in range(intents):
                    total += math.exp(past[u, k] @ future[v, other] / temperature)
            losses[u, k] = math.log(total) - past[u, k] @ future[u, k] / temperature
    return losses


@pytest.fixture
def parts(rng):
    """Past and future of three users with two intents, of width 4."""
    return rng.normal(size=(2, 3, 2, 4)).astype("float32")


@pytest.fixture
def batch(encoded, parts):
    return dataclasses.replace(encoded, futures=tuple(parts))


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("group_ids", [None, [0, 1, 0], [3, 3, 3]])
def test_matches_slow_transcription(parts, temperature, group_ids):
    groups = None if group_ids is None else np.array(group_ids)
    losses = past_to_future_losses(*parts, temperature, groups)
    np.testing.assert_allclose(losses, slow_losses(*parts, temperature, group_ids), rtol=1e-5)


def test_by_hand():
    # The past of the first intent, 1, is as its future; the other pasts are 0 and know nothing.
    past = np.array([[[1.0], [0.0]]])
    losses = past_to_future_losses(past, past)
    expected = [[math.log(math.e + 1) - 1, math.log(2)]]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize(("share", "kept"), [(1.0, 6), (0.5, 3), (0.34, 2), (0.01, 1)])
def test_only_confident_pairs_count(batch, parts, share, kept):
    losses = np.sort(slow_losses(*parts, temperature=2.0), axis=None)
    loss = float(FutureContrast(confident_share=share)(batch))
    assert loss == pytest.approx(losses[:kept].sum() / 3, rel=1e-5)


def test_other_pairs_have_no_gradient(batch, parts):
    past = tf.Variable(parts[0])
    with tf.GradientTape() as tape:
        loss = FutureContrast()(dataclasses.replace(batch, futures=(past, parts[1])))
    gradient = tape.gradient(loss, past).numpy()
    losses = slow_losses(*parts, temperature=2.0)
    confident = losses <= np.sort(losses, axis=None)[2]
    np.testing.assert_array_equal(gradient.any(axis=-1), confident)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_normalized_it_compares_directions(batch, parts, temperature):
    unit = parts / np.linalg.norm(parts, axis=-1, keepdims=True)
    term = FutureContrast(temperature=temperature, normalize=True, confident_share=1.0)
    expected = slow_losses(*unit, temperature).sum() / 3
    assert float(term(batch)) == pytest.approx(expected, rel=1e-5)


def test_with_one_vector_per_user_it_is_the_in_batch_contrast(encoded, rng):
    past, future = rng.normal(size=(2, 3, 1, 4)).astype("float32")
    loss = FutureContrast(confident_share=1.0)(dataclasses.replace(encoded, futures=(past, future)))
    expected = in_batch_info_nce(past[:, 0], future[:, 0], temperature=2.0)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_mitigation_takes_groups_from_the_first_intents_once_there_are_any(batch, parts):
    mitigated = FutureContrast(mitigate_false_negatives=True, confident_share=1.0)
    expected = slow_losses(*parts, temperature=2.0, group_ids=[1, 1, 0]).sum() / 3
    assert float(mitigated(batch)) == pytest.approx(expected, rel=1e-5)
    unfitted = dataclasses.replace(batch, intents_fitted=np.float32(0.0))
    plain = FutureContrast(confident_share=1.0)
    assert float(mitigated(unfitted)) == pytest.approx(float(plain(unfitted)), rel=1e-6)


def test_is_a_named_term_that_survives_saving():
    term = FutureContrast(0.5, temperature=2.0, normalize=True, confident_share=0.25)
    assert (term.name, term.prefix, term.needs_futures) == ("future_contrast", "future_", True)
    assert (term.needs_views, term.needs_intents) == (False, False)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)


def test_the_share_is_an_option_with_a_range():
    declared = settings_of(FutureContrast)["confident_share"]
    assert (declared.option("future_"), declared.default) == ("future_confident_share", 0.5)
    assert declared.checked(1.0, "--x") == 1.0
    for share in (0.0, 1.1):
        with pytest.raises(ValueError, match="must be above 0 and at most 1"):
            declared.checked(share, "--x")


ITEM_IDS = np.array([[0, 5, 9, 4], [7, 8, 3, 6]], dtype="int32")
LOG = {
    "item_ids": ITEM_IDS,
    "target_ids": np.array([[0, 9, 4, 6], [8, 3, 6, 5]], dtype="int32"),
    "future_item_ids": np.array(
        [[[0, 0, 0, 5], [0, 0, 4, 9]], [[0, 7, 8, 3], [0, 0, 0, 6]]], dtype="int32"
    ),
    "view_item_ids": np.array(
        [[[0, 0, 5, 9], [0, 4, 9, 5]], [[7, 8, 0, 0], [6, 3, 8, 7]]], "int32"
    ),
}


@pytest.mark.parametrize("with_views", [False, True])
@pytest.mark.parametrize("kind", [SelfAttentiveEncoder, DisentangledEncoder])
def test_the_model_hands_over_the_last_states_of_both_parts(kind, with_views):
    """Whatever else a batch has to encode."""
    encoder = kind(vocabulary_size=12, max_length=4, hidden_dim=8, num_blocks=1, dropout=0.0)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy(), FutureContrast()])
    model.build()
    model.needs_views = with_views
    (batch,) = model._encode({name: tf.constant(ids) for name, ids in LOG.items()})
    queries = encoder.num_queries
    for part, state in enumerate(batch.futures):
        ids = LOG["future_item_ids"][:, part]
        inputs = {"item_ids": ids, "is_future": np.full(2, part == 1)}
        expected = np.asarray(encoder(inputs))[:, -1].reshape(2, queries, 8)
        np.testing.assert_allclose(state, expected, atol=1e-5)
    hidden = np.asarray(encoder({"item_ids": ITEM_IDS}))
    np.testing.assert_allclose(batch.queries, hidden.reshape(2, 4, queries, 8), atol=1e-5)
    items = np.asarray(encoder.item_embedding(LOG["target_ids"]))
    best = np.einsum("btqd,btd->btq", batch.queries, items).argmax(axis=-1)
    for at in zip(*np.nonzero(LOG["target_ids"]), strict=True):
        np.testing.assert_allclose(batch.hidden[at], batch.queries[at][best[at]])
    if with_views:
        view = encoder({"item_ids": LOG["view_item_ids"][:, 1]})
        np.testing.assert_allclose(batch.view_hidden[1], view, atol=1e-5)


def test_a_model_learns_it():
    encoder = SelfAttentiveEncoder(vocabulary_size=12, max_length=4, hidden_dim=8, num_blocks=1)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy(), FutureContrast(1.0)])
    model.compile(keras.optimizers.Adam(0.01))
    data = tf.data.Dataset.from_tensors(LOG).repeat(40)
    losses = model.fit(data, epochs=2, steps_per_epoch=20, shuffle=False, verbose=0).history
    assert np.isfinite(losses["loss"]).all()
    assert losses["future_contrast"][1] < losses["future_contrast"][0]
