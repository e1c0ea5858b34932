import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.pairwise_ranking import PairwiseRanking, pairwise_ranking_loss
from tf_iclrec.settings import settings_of

REAL = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]


def slow_loss(hidden, positive, negative, regularization=0.0):
    """One position, coordinate by coordinate."""
    ahead = sum(h * (p - n) for h, p, n in zip(hidden, positive, negative, strict=True))
    squares = sum(value**2 for vector in (hidden, positive, negative) for value in vector)
    return -math.log(1 / (1 + math.exp(-ahead))) + regularization / 2 * squares


def slow_losses(encoded, item_table, regularization=0.0):
    return [
        slow_loss(
            encoded.hidden[at],
            item_table[encoded.target_ids[at]],
            item_table[encoded.negative_ids[at]],
            regularization,
        )
        for at in REAL
    ]


@pytest.mark.parametrize("regularization", [0.0, 0.3])
def test_is_the_mean_of_a_slow_transcription(encoded, item_table, regularization):
    expected = np.mean(slow_losses(encoded, item_table, regularization))
    assert float(PairwiseRanking(1.0, regularization)(encoded)) == pytest.approx(expected, rel=1e-5)


def test_by_hand():
    # σ(h·s⁺ - h·s⁻) = σ(ln 3) = 3/4.
    hidden = np.array([[1.0, 2.0]])
    positive, negative = np.array([[math.log(3), 1.0]]), np.array([[0.0, 1.0]])
    (loss,) = pairwise_ranking_loss(hidden, positive, negative)
    assert float(loss) == pytest.approx(math.log(4 / 3))
    (loss,) = pairwise_ranking_loss(hidden, positive, negative, 0.1)
    squares = 1 + 4 + math.log(3) ** 2 + 1 + 1
    assert float(loss) == pytest.approx(math.log(4 / 3) + 0.05 * squares)


def test_a_step_shrinks_a_vector_in_proportion_to_itself():
    """Rendle et al., Figure 4: the gradient of the second part is λ Θ."""
    vectors = [tf.constant([[1.0, -2.0]]), tf.constant([[0.5, 3.0]]), tf.constant([[0.5, 3.0]])]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(vectors)
        plain, regular = (pairwise_ranking_loss(*vectors, factor) for factor in (0.0, 0.2))
    for vector in vectors:
        difference = tape.gradient(regular, vector) - tape.gradient(plain, vector)
        np.testing.assert_allclose(difference, 0.2 * vector, rtol=1e-6)


def test_is_finite_for_large_scores():
    hidden = np.array([[100.0]], dtype="float32")
    assert float(pairwise_ranking_loss(hidden, -hidden, hidden)[0]) == 20000.0


def test_positions_count_by_their_weights(encoded, item_table):
    weights = np.arange(9, dtype="float32").reshape(3, 3) * (encoded.target_ids != 0)
    loss = PairwiseRanking()(dataclasses.replace(encoded, target_weights=weights))
    expected = np.dot(slow_losses(encoded, item_table), [weights[at] for at in REAL])
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_padded_positions_contribute_nothing(encoded, moved):
    changed = moved("hidden", encoded.target_ids == 0, by=100.0)
    term = PairwiseRanking(regularization=0.1)
    assert float(term(changed)) == float(term(encoded))


def test_is_a_named_term_that_needs_negatives_and_survives_saving():
    term = PairwiseRanking(0.5, regularization=0.01)
    assert (term.name, term.needs_negatives, term.needs_views) == ("next_item", True, False)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert type(loaded) is PairwiseRanking
    assert loaded.get_config() == {"weight": 0.5, "regularization": 0.01}


def test_declares_its_settings():
    (declared,) = settings_of(PairwiseRanking).values()
    assert (declared.option("bpr_"), declared.default) == ("bpr_regularization", 0.0)
