import math

import keras
import numpy as np
import pytest

from tf_iclrec.objectives.sampled_cross_entropy import (
    SampledCrossEntropy,
    sampled_binary_cross_entropy,
)


def slow_losses(hidden, positive, negative):
    terms = []
    for h, p, n in zip(hidden, positive, negative, strict=True):
        chosen = 1 / (1 + math.exp(-sum(a * b for a, b in zip(h, p, strict=True))))
        other = 1 / (1 + math.exp(-sum(a * b for a, b in zip(h, n, strict=True))))
        terms.append(-math.log(chosen) - math.log(1 - other))
    return np.array(terms)


def test_matches_slow_transcription(rng):
    arrays = rng.normal(size=(3, 10, 4)).astype("float32")
    losses = sampled_binary_cross_entropy(*arrays)
    np.testing.assert_allclose(losses, slow_losses(*arrays), rtol=1e-4)


def test_by_hand():
    # h·s⁺ = ln 3 gives σ = 3/4; h·s⁻ = -ln 3 gives 1 - σ = 3/4.
    hidden, item = np.array([[1.0, 0.0]]), np.array([[math.log(3), 5.0]])
    (loss,) = sampled_binary_cross_entropy(hidden, item, -item)
    assert float(loss) == pytest.approx(2 * math.log(4 / 3))


def test_is_finite_for_large_scores():
    hidden = np.array([[100.0]], dtype="float32")
    assert float(sampled_binary_cross_entropy(hidden, -hidden, hidden)[0]) == 20000.0


def test_objective_is_the_mean_over_real_positions(encoded, item_table):
    real = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]
    expected = slow_losses(
        [encoded.hidden[at] for at in real],
        [item_table[encoded.target_ids[at]] for at in real],
        [item_table[encoded.negative_ids[at]] for at in real],
    )
    assert float(SampledCrossEntropy()(encoded)) == pytest.approx(expected.mean(), rel=1e-5)


def test_padded_positions_contribute_nothing(encoded, moved):
    changed = moved("hidden", encoded.target_ids == 0, by=100.0)
    assert float(SampledCrossEntropy()(changed)) == float(SampledCrossEntropy()(encoded))


def test_is_a_named_term_that_needs_negatives_and_survives_saving():
    term = SampledCrossEntropy(weight=0.5)
    assert (term.name, term.needs_negatives, term.needs_views) == ("next_item", True, False)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert type(loaded) is SampledCrossEntropy
    assert loaded.get_config() == {"weight": 0.5}
