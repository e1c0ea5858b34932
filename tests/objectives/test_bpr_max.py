import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.data.item_sampler import Sampling
from tf_iclrec.objectives.bpr_max import BprMax, bpr_max_loss
from tf_iclrec.settings import settings_of

REAL = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]


def slow_loss(hidden, target, sampled, vectors, regularization):
    """Hidasi and Karatzoglou Sec. 3.3, one position, sample by sample."""
    own = float(hidden @ vectors[target])
    scores = [float(hidden @ vectors[item]) for item in sampled if item != target]
    total = sum(math.exp(score) for score in scores)
    ranked = penalty = 0.0
    for score in scores:
        share = math.exp(score) / total
        ranked += share / (1 + math.exp(score - own))
        penalty += share * score**2
    return -math.log(ranked) + regularization * penalty


@pytest.fixture
def sampled(encoded):
    """With four samples, one of them twice."""
    ids = np.array([4, 6, 4, 5], dtype="int32")
    return dataclasses.replace(encoded, sampled_ids=ids)


@pytest.mark.parametrize("regularization", [0.0, 0.7])
def test_is_the_mean_of_a_slow_transcription(sampled, item_table, regularization):
    expected = [
        slow_loss(
            sampled.hidden[at], sampled.target_ids[at], [4, 6, 4, 5], item_table, regularization
        )
        for at in REAL
    ]
    term = BprMax(regularization=regularization)
    assert float(term(sampled)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_by_hand():
    # Scores ln 3 against 0 and ln 2: shares 1/3 and 2/3, σ(ln 3) = 3/4 and σ(ln 3/2) = 3/5.
    loss = bpr_max_loss(
        np.ones((1, 1)), np.array([[math.log(3)]]), np.array([1]),
        np.array([[0.0], [math.log(2)]]), np.array([2, 3]), 0.5,
    )  # fmt: skip
    expected = -math.log(3 / 4 / 3 + 3 / 5 * 2 / 3) + 0.5 * 2 / 3 * math.log(2) ** 2
    assert float(loss[0]) == pytest.approx(expected)


def test_a_target_far_below_the_samples_still_has_a_gradient():
    hidden = tf.constant([[100.0]])
    with tf.GradientTape() as tape:
        tape.watch(hidden)
        loss = bpr_max_loss(
            hidden, np.array([[-1.0]], "float32"), np.array([1]),
            np.array([[1.0], [0.5]], "float32"), np.array([2, 3]), 0.0,
        )  # fmt: skip
    assert float(loss[0]) == pytest.approx(200 - math.log(2))
    assert float(tape.gradient(loss, hidden)[0, 0]) == pytest.approx(2.0)


def test_without_a_sample_but_the_target_there_is_nothing_to_rank():
    hidden = tf.constant([[3.0]])
    with tf.GradientTape() as tape:
        tape.watch(hidden)
        loss = bpr_max_loss(hidden, hidden, np.array([7]), tf.ones((2, 1)), np.array([7, 7]))
    assert float(loss[0]) == 0.0
    assert float(tape.gradient(loss, hidden)[0, 0]) == 0.0


def test_padded_positions_contribute_nothing(sampled):
    hidden = sampled.hidden.copy()
    hidden[sampled.target_ids == 0] += 100.0
    assert float(BprMax()(dataclasses.replace(sampled, hidden=hidden))) == float(BprMax()(sampled))


def test_is_a_named_term_that_says_its_sampling_and_survives_saving():
    term = BprMax(0.5, "uniform", 7, 0.2)
    assert (term.name, term.sampling) == ("next_item", Sampling("uniform", 7))
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert loaded.get_config() == {
        "weight": 0.5,
        "kind": "uniform",
        "num_samples": 7,
        "regularization": 0.2,
    }
    assert loaded.sampling == term.sampling


def test_declares_its_settings():
    options = [one.option("") for one in settings_of(BprMax).values()]
    assert options == ["sampling", "num_samples", "bpr_max_regularization"]
