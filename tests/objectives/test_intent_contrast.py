import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.intent_contrast import IntentContrast, intent_contrast


def slow_loss(vectors, prototypes, temperature=1.0, intent_ids=None):
    """ICLRec Eq. 16, or with intent ids Eq. 17, user by user."""
    terms = []
    for user, vector in enumerate(vectors):
        total = 0.0
        for other, prototype in enumerate(prototypes):
            false_negative = (
                intent_ids is not None and other != user and intent_ids[other] == intent_ids[user]
            )
            if not false_negative:
                total += math.exp(vector @ prototype / temperature)
        terms.append(math.log(total) - vector @ prototypes[user] / temperature)
    return sum(terms) / len(terms)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("intent_ids", [None, [0, 1, 0, 2, 1, 0]])
def test_matches_slow_transcription(rng, temperature, intent_ids):
    vectors, prototypes = rng.normal(size=(2, 6, 4)).astype("float32")
    ids = None if intent_ids is None else np.array(intent_ids)
    loss = float(intent_contrast(vectors, prototypes, temperature, ids))
    expected = slow_loss(vectors, prototypes, temperature, intent_ids)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_by_hand():
    # Each user scores 1 with the own intent and 0 with the other one's.
    loss = float(intent_contrast(np.eye(2), np.eye(2)))
    assert loss == pytest.approx(math.log(math.e + 1) - 1)


def test_mitigation_by_hand():
    # The first two users share an intent and are left with the third as negative; the third
    # has both of them.
    one, two = [1.0, 0.0], [0.0, 1.0]
    users = np.array([one, one, two])
    loss = float(intent_contrast(users, users, intent_ids=np.array([7, 7, 2])))
    expected = (2 * (math.log(math.e + 1) - 1) + math.log(math.e + 2) - 1) / 3
    assert loss == pytest.approx(expected)


@pytest.mark.parametrize("mitigate", [True, False])
def test_a_user_of_the_same_intent_is_a_negative_only_without_mitigation(rng, mitigate):
    vectors, prototypes = rng.normal(size=(2, 3, 4)).astype("float32")
    moved = prototypes + np.array([[0.0], [1.0], [0.0]], dtype="float32")

    def gradient_of_user_0(prototypes):
        # A user's vector is only in the user's own loss.
        variable = tf.Variable(vectors)
        ids = np.array([7, 7, 2]) if mitigate else None
        with tf.GradientTape() as tape:
            loss = intent_contrast(variable, prototypes, intent_ids=ids)
        return tape.gradient(loss, variable).numpy()[0]

    change = np.abs(gradient_of_user_0(moved) - gradient_of_user_0(prototypes)).max()
    assert change == 0.0 if mitigate else change > 1e-2


@pytest.mark.parametrize("mitigate", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_objective_averages_both_views_and_every_number_of_intents(encoded, mitigate, normalize):
    views = encoded.view_vectors
    if normalize:
        views = views / np.linalg.norm(views, axis=-1, keepdims=True)
    expected = [
        slow_loss(view, prototypes, 0.5, ids if mitigate else None)
        for ids, prototypes in encoded.intents
        for view in views
    ]
    term = IntentContrast(temperature=0.5, normalize=normalize, mitigate_false_negatives=mitigate)
    assert float(term(encoded)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_several_numbers_of_intents_are_averaged(encoded):
    term = IntentContrast()
    first, second = (
        float(term(dataclasses.replace(encoded, intents=[pair]))) for pair in encoded.intents
    )
    assert first != pytest.approx(second, rel=1e-2)
    assert float(term(encoded)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_is_zero_until_intents_are_fitted(encoded):
    unfitted = dataclasses.replace(encoded, intents_fitted=np.float32(0.0))
    assert float(IntentContrast()(unfitted)) == 0.0
    assert float(IntentContrast()(encoded)) > 0.1


@pytest.mark.parametrize("mitigate", [False, True])
def test_is_a_named_term_that_survives_saving(mitigate):
    term = IntentContrast(0.5, temperature=2.0, mitigate_false_negatives=mitigate)
    assert (term.name, term.needs_views, term.needs_intents) == ("intent_contrast", True, True)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)
