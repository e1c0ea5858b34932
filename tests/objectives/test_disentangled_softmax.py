import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.disentangled_softmax import DisentangledSoftmax
from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy
from tf_iclrec.settings import settings_of

REAL = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]


def slow_loss(queries, target, items):
    """One position: ``-log max_k exp(q_k · h_target / √D) / Σ_k Σ_j exp(q_k · h_j / √D)``."""
    scale = math.sqrt(queries.shape[1])
    best = max(math.exp(query @ items[target] / scale) for query in queries)
    total = sum(math.exp(query @ item / scale) for query in queries for item in items)
    return -math.log(best / total)


@pytest.fixture
def several(encoded, rng):
    """Every position has three vectors."""
    return dataclasses.replace(encoded, queries=rng.normal(size=(3, 3, 3, 4)).astype("float32"))


def test_matches_slow_transcription(several, item_table):
    expected = [
        slow_loss(several.queries[at], several.target_ids[at] - 3, item_table[3:]) for at in REAL
    ]
    assert float(DisentangledSoftmax()(several)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_positions_count_by_their_weights(several, item_table, rng):
    weights = rng.uniform(size=(3, 3)).astype("float32")
    expected = sum(
        weights[at] * slow_loss(several.queries[at], several.target_ids[at] - 3, item_table[3:])
        for at in REAL
    )
    weighted = dataclasses.replace(several, target_weights=weights)
    assert float(DisentangledSoftmax()(weighted)) == pytest.approx(expected, rel=1e-5)


def test_by_hand(encoded):
    # Four items of which the target (id 3) is 1 and the others 0; two vectors, 0 and ln 2: the
    # best gives the target 2, of 1 + 1 + 1 + 1 and 2 + 1 + 1 + 1.
    table = np.zeros((7, 1), "float32")
    table[3] = 1
    batch = dataclasses.replace(
        encoded,
        target_ids=np.array([[3]], "int32"),
        queries=np.array([[[[0.0], [math.log(2)]]]], "float32"),
        item_vectors=lambda: table[3:],
    )
    assert float(DisentangledSoftmax()(batch)) == pytest.approx(math.log(9 / 2))


@pytest.mark.parametrize("scaled", [True, False])
def test_with_one_vector_it_is_the_softmax_cross_entropy(encoded, scaled):
    one = dataclasses.replace(encoded, queries=encoded.hidden[:, :, np.newaxis])
    plain = dataclasses.replace(encoded, hidden=encoded.hidden / 2) if scaled else encoded
    loss = float(DisentangledSoftmax(scaled=scaled)(one))
    assert loss == pytest.approx(float(SoftmaxCrossEntropy()(plain)), rel=1e-6)


def test_only_the_best_vector_is_drawn_to_the_target_and_all_are_pushed_off_the_rest(several):
    """The gradient of a vector is what the softmax gives it, less the target for the best."""
    queries = tf.Variable(several.queries)
    with tf.GradientTape() as tape:
        loss = DisentangledSoftmax()(dataclasses.replace(several, queries=queries))
    gradient = tape.gradient(loss, queries).numpy()[REAL[0]] * len(REAL)
    items, target = several.item_vectors(), several.target_ids[REAL[0]] - 3
    shares = np.exp(several.queries[REAL[0]] @ items.T / 2)
    shares /= shares.sum()
    expected = shares @ items / 2
    expected[np.argmax(several.queries[REAL[0]] @ items[target])] -= items[target] / 2
    np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_padded_positions_contribute_nothing(several):
    queries = several.queries.copy()
    queries[several.target_ids == 0] += 100.0
    term = DisentangledSoftmax()
    assert float(term(dataclasses.replace(several, queries=queries))) == float(term(several))


def test_is_a_named_term_that_survives_saving():
    term = DisentangledSoftmax(0.5, scaled=False)
    assert term.name == "next_item"
    assert settings_of(DisentangledSoftmax)["scaled"].option("") == "scaled_scores"
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)
