import dataclasses

import keras
import numpy as np
import pytest

from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce


@pytest.mark.parametrize("mitigate", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_objective_averages_both_views_and_every_number_of_intents(
    encoded, slow_in_batch_info_nce, mitigate, normalize
):
    views = encoded.view_vectors
    if normalize:
        views = views / np.linalg.norm(views, axis=-1, keepdims=True)
    expected = [
        slow_in_batch_info_nce(view, prototypes, 0.5, ids if mitigate else None)
        for ids, prototypes in encoded.intents
        for view in views
    ]
    term = IntentContrast(temperature=0.5, normalize=normalize, mitigate_false_negatives=mitigate)
    assert float(term(encoded)) == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("mitigate", [True, False])
def test_both_ways_it_is_the_loss_of_two_views_of_which_one_is_the_intent(encoded, mitigate):
    """Of which tests/objectives/test_sequence_contrast.py has a slow transcription."""
    expected = [
        two_view_info_nce(view, prototypes, 0.5, ids if mitigate else None)
        for ids, prototypes in encoded.intents
        for view in encoded.view_vectors
    ]
    settings = {"temperature": 0.5, "mitigate_false_negatives": mitigate}
    term = IntentContrast(**settings, both_ways=True)
    assert float(term(encoded)) == pytest.approx(np.mean(expected), rel=1e-5)
    assert float(term(encoded)) != pytest.approx(float(IntentContrast(**settings)(encoded)), 0.1)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)


def test_several_numbers_of_intents_are_averaged(encoded):
    term = IntentContrast(mitigate_false_negatives=True)
    first, second = (
        float(term(dataclasses.replace(encoded, intents=[pair]))) for pair in encoded.intents
    )
    assert first != pytest.approx(second, rel=1e-2)
    assert float(term(encoded)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_is_zero_until_intents_are_fitted(encoded):
    unfitted = dataclasses.replace(encoded, intents_fitted=np.float32(0.0))
    for mitigate in (False, True):
        term = IntentContrast(mitigate_false_negatives=mitigate)
        assert float(term(unfitted)) == 0.0
        assert float(term(encoded)) > 0.1


def test_false_negatives_stay_by_default_as_published(encoded):
    published = IntentContrast(mitigate_false_negatives=False)
    assert float(IntentContrast()(encoded)) == float(published(encoded))
    mitigated = IntentContrast(mitigate_false_negatives=True)
    assert float(published(encoded)) != float(mitigated(encoded))


def test_without_augmentation_the_sequence_itself_is_compared(encoded, slow_in_batch_info_nce):
    expected = [
        slow_in_batch_info_nce(encoded.own_vectors, prototypes, group_ids=ids)
        for ids, prototypes in encoded.intents
    ]
    term = IntentContrast(views="dropout", mitigate_false_negatives=True)
    assert not term.needs_views
    assert float(term(encoded)) == pytest.approx(np.mean(expected), rel=1e-5)
    without_views = dataclasses.replace(encoded, view_vectors=())
    assert float(term(without_views)) == float(term(encoded))
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)


@pytest.mark.parametrize("mitigate", [False, True])
def test_is_a_named_term_that_survives_saving(mitigate):
    term = IntentContrast(0.5, temperature=2.0, mitigate_false_negatives=mitigate)
    assert (term.name, term.needs_views, term.needs_intents) == ("intent_contrast", True, True)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)
