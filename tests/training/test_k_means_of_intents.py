import keras
import numpy as np
import pytest

from tf_iclrec import IntentClustering, build_model, leave_one_out, make_config, sequence_batches
from tf_iclrec.data.synthetic import planted_intents


@pytest.fixture
def split():
    return leave_one_out(planted_intents(num_users=300, num_items=60, num_intents=3)[0])


@pytest.fixture
def model(split):
    keras.utils.set_random_seed(0)
    built = build_model(
        make_config(num_blocks=1, num_intents=(4, 8), hidden_dim=16), split.catalogue
    )
    built.compile(keras.optimizers.Adam(1e-2))
    return built


def clustering(split, model, **settings):
    callback = IntentClustering(sequence_batches(split), verbose=False, **settings)
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def test_k_means_goes_on_from_the_centroids_that_are_there(split, model):
    """So that intents keep their numbers: here in the reverse of those that K-means gives."""
    callback = clustering(split, model, iterations=100)
    callback.run()
    reverse = [weight.numpy()[::-1] for weight in model.intents.centroids]
    model.intents.update(reverse)
    callback.run()
    for weight, expected in zip(model.intents.centroids, reverse, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-4)


def test_seed_and_iterations_are_those_of_the_settings(split, model):
    def inertia(**settings):
        model.intents.fitted.assign(0.0)
        return clustering(split, model, **settings).run()[1].inertia

    once, other, often = (
        inertia(iterations=iterations, seed=seed) for iterations, seed in ((1, 0), (1, 1), (20, 0))
    )
    assert often < once != other
