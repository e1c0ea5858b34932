import dataclasses
import math

import keras
import numpy as np
import pytest

from tf_iclrec.objectives.item_provider_contrast import ItemProviderContrast


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("mitigate", [False, True])
def test_matches_slow_transcription(
    encoded, slow_in_batch_info_nce, temperature, normalize, mitigate
):
    sides = encoded.sides
    if normalize:
        sides = [side / np.linalg.norm(side, axis=-1, keepdims=True) for side in sides]
    groups = encoded.intents[0][0] if mitigate else None
    expected = slow_in_batch_info_nce(*sides, temperature, groups)
    term = ItemProviderContrast(
        temperature=temperature, normalize=normalize, mitigate_false_negatives=mitigate
    )
    assert float(term(encoded)) == pytest.approx(expected, rel=1e-5)


def test_by_hand(encoded):
    # Scores of each user's item side with the three provider sides; the own one comes first,
    # second and third.
    scores = np.log([[2.0, 1.0, 1.0], [1.0, 3.0, 2.0], [1.0, 4.0, 5.0]])
    batch = dataclasses.replace(encoded, sides=(np.eye(3), scores.T))
    expected = -(math.log(2 / 4) + math.log(3 / 6) + math.log(5 / 10)) / 3
    assert float(ItemProviderContrast()(batch)) == pytest.approx(expected)
    # The first two users share an intent.
    mitigated = ItemProviderContrast(mitigate_false_negatives=True)
    expected = -(math.log(2 / 3) + math.log(3 / 5) + math.log(5 / 10)) / 3
    assert float(mitigated(batch)) == pytest.approx(expected)


def test_the_negatives_are_provider_sides(encoded):
    # All item sides alike: were they negatives, the loss would depend on their length.
    provider_side = np.zeros((3, 4))
    for length in (1.0, 10.0):
        item_side = np.full((3, 4), length)
        batch = dataclasses.replace(encoded, sides=(item_side, provider_side))
        assert float(ItemProviderContrast()(batch)) == pytest.approx(math.log(3))


def test_lengths_count_unless_normalized(encoded):
    item_side, provider_side = encoded.sides
    longer = dataclasses.replace(encoded, sides=(item_side, 3 * provider_side))
    plain, normalized = ItemProviderContrast(), ItemProviderContrast(normalize=True)
    assert abs(float(plain(longer)) - float(plain(encoded))) > 0.1
    assert float(normalized(longer)) == pytest.approx(float(normalized(encoded)), rel=1e-5)


def test_mitigation_waits_for_the_first_e_step(encoded):
    unfitted = dataclasses.replace(encoded, intents_fitted=np.float32(0.0))
    mitigated = ItemProviderContrast(mitigate_false_negatives=True)
    assert float(mitigated(unfitted)) == float(ItemProviderContrast()(unfitted))
    assert float(mitigated(encoded)) != float(ItemProviderContrast()(encoded))


def test_computes_in_float32(encoded):
    half = [keras.ops.cast(side, "bfloat16") for side in encoded.sides]
    exact = [keras.ops.cast(side, "float32") for side in half]
    loss, expected = (
        ItemProviderContrast()(dataclasses.replace(encoded, sides=sides)) for sides in (half, exact)
    )
    assert loss.dtype == "float32"
    assert float(loss) == float(expected)


@pytest.mark.parametrize("mitigate", [False, True])
def test_is_a_named_term_that_survives_saving(mitigate):
    term = ItemProviderContrast(0.5, 2.0, normalize=True, mitigate_false_negatives=mitigate)
    assert (term.name, term.needs_sides) == ("item_provider_contrast", True)
    assert (term.needs_views, term.needs_intents) == (False, mitigate)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert type(loaded) is ItemProviderContrast
    assert vars(loaded) == vars(term)
