import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.data.item_sampler import ItemSampler, Sampling
from tf_iclrec.objectives.sampled_softmax import (
    SampledSoftmaxCrossEntropy,
    sampled_softmax_cross_entropy,
)

REAL = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]


def slow_loss(hidden, target, sampled, vectors, log_q):
    """One position, sample by sample."""
    own = hidden @ vectors[target]
    total = math.exp(own)
    for item in sampled:
        if item != target:
            total += math.exp(hidden @ vectors[item]) / (len(sampled) * math.exp(log_q[item]))
    return math.log(total) - own


@pytest.fixture
def log_q(rng):
    return np.log(rng.dirichlet(np.ones(7))).astype("float32")


@pytest.fixture
def sampled(encoded, log_q):
    """With three samples, one of them twice."""
    ids = np.array([4, 6, 4], dtype="int32")
    return dataclasses.replace(encoded, sampled_ids=ids, sampled_log_probabilities=log_q[ids])


def test_matches_slow_transcription(sampled, item_table, log_q):
    expected = [
        slow_loss(sampled.hidden[at], sampled.target_ids[at], [4, 6, 4], item_table, log_q)
        for at in REAL
    ]
    loss = SampledSoftmaxCrossEntropy()(sampled)
    assert float(loss) == pytest.approx(np.mean(expected), rel=1e-5)


def test_by_hand():
    # Scores ln 4 and 0; the sample is expected half a time: 4 against 2.
    loss = sampled_softmax_cross_entropy(
        np.array([[math.log(4)]]), np.ones((1, 1)), np.array([1]),
        np.zeros((1, 1)), np.array([2]), np.array([-math.log(2)]),
    )  # fmt: skip
    assert float(loss[0]) == pytest.approx(math.log(6 / 4))


@pytest.mark.parametrize("kind", ["uniform", "popularity"])
def test_many_samples_give_the_gradient_of_the_full_softmax(rng, kind):
    """That is what the correction is for; without it popular items would be pushed too far."""
    items = 12
    vectors = rng.normal(size=(items, 4)).astype("float32")
    hidden = rng.normal(size=(5, 4)).astype("float32")
    targets = np.array([0, 3, 3, 7, 11])
    weights = np.ones(items) if kind == "uniform" else np.arange(1, items + 1) ** 2
    sampler = ItemSampler(weights)
    ids = sampler.draw(200_000, tf.constant([1, 2])).numpy() - 3

    def gradient(loss):
        position = tf.Variable(hidden)
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(position))
        return tape.gradient(value, position).numpy()

    log_counts = sampler.log_probabilities(tf.constant(ids + 3)) + np.log(200_000.0)
    full = gradient(
        lambda h: tf.nn.sparse_softmax_cross_entropy_with_logits(targets, h @ vectors.T)
    )
    corrected, plain = (
        gradient(
            lambda h, counts=counts: sampled_softmax_cross_entropy(
                h, vectors[targets], targets, vectors[ids], ids, counts
            )
        )
        for counts in (log_counts, np.full(200_000, np.log(200_000 / items), dtype="float32"))
    )
    np.testing.assert_allclose(corrected, full, atol=0.01)
    assert (np.abs(plain - full).max() > 0.05) == (kind == "popularity")


def test_padded_positions_contribute_nothing(sampled):
    hidden = sampled.hidden.copy()
    hidden[sampled.target_ids == 0] += 100.0
    term = SampledSoftmaxCrossEntropy()
    assert float(term(dataclasses.replace(sampled, hidden=hidden))) == float(term(sampled))


def test_is_a_named_term_that_says_its_sampling_and_survives_saving():
    term = SampledSoftmaxCrossEntropy(0.5, "uniform", 7)
    assert (term.name, term.sampling) == ("next_item", Sampling("uniform", 7))
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert loaded.get_config() == {"weight": 0.5, "kind": "uniform", "num_samples": 7}
    assert loaded.sampling == term.sampling
