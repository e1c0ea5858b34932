import keras
import numpy as np
import pytest

from .small_recommenders import INPUTS, batches, centroids, new_model, train


def test_an_ensembles_score_is_the_mean_of_its_members_cosines():
    model = new_model(model="iclrec", num_members=2, score_temperature=0.1)
    expected = np.zeros((3, 12))
    for member in model.members():
        hidden = np.asarray(member(INPUTS))[[0, 1, 2], [3, 3, 1]]
        items = np.asarray(member.item_vectors())
        norms = np.linalg.norm(hidden, axis=1)[:, None] * np.linalg.norm(items, axis=1)
        expected += hidden @ items.T / norms / 0.1 / 2
    np.testing.assert_allclose(model(INPUTS), expected, rtol=1e-4, atol=1e-5)
    users, items = np.asarray(model.user_vectors(INPUTS)), np.asarray(model.item_vectors())
    assert (users.shape, items.shape) == ((3, 16), (12, 16))
    np.testing.assert_allclose(users @ items.T, expected, rtol=1e-4, atol=1e-5)


def test_members_learn_as_if_alone(split):
    """Without intents nothing connects them but the loss, which is their mean."""
    settings = {"model": "sasrec", "dropout": 0.0, "score_temperature": 0.1}
    together = new_model(**settings, num_members=2)
    alone = new_model(**settings)
    alone.encoder.set_weights(together.members()[1].get_weights())
    alone.compile(keras.optimizers.SGD(0.1))
    together.compile(keras.optimizers.SGD(0.2))
    for batch in batches(split, alone).take(3):
        together.train_step(batch)
        alone.train_step(batch)
    learnt = together.members()[1].get_weights()
    for weight, expected in zip(learnt, alone.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)


def test_members_share_the_intents_that_they_find_together(split):
    model = new_model(model="iclrec", num_members=2, dropout=0.0)
    model.intents.update(centroids(model))
    batch = next(iter(batches(split, model)))
    first, second = model._encode(batch)
    found = model.intents(model.mean_vectors(batch, training=False))
    assert len(found) == len(first.intents) == 2
    for (ids, _), (ids_1, one), (ids_2, two) in zip(
        found, first.intents, second.intents, strict=True
    ):
        np.testing.assert_array_equal(ids_1, ids)
        np.testing.assert_array_equal(ids_2, ids)
        for prototypes in (one, two):
            assert prototypes.shape == (12, 8)
            np.testing.assert_allclose(np.linalg.norm(prototypes, axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("name", ["iclrec", "iclrec_ips_c"])
def test_every_weight_of_every_member_learns(name, split):
    model = new_model(model=name, num_members=2, score_temperature=0.1)
    model.intents.update(centroids(model))
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_step(next(iter(batches(split, model))))
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert np.abs(weight - old).max() > 1e-5, weight.path


def test_a_saved_ensemble_scores_alike(split, tmp_path):
    settings = {"num_members": 2, "score_temperature": 0.1, "num_intents": (2,)}
    # Without views, the graph of which takes longest.
    settings |= {"sequence_weight": 0.0, "intent_views": "dropout"}
    model = new_model(model="iclrec_ips_s", **settings)
    train(model, split, epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(INPUTS), model(INPUTS), rtol=1e-5)
