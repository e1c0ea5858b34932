import keras
import numpy as np
import pytest

from tf_iclrec.layers.intent_prototypes import IntentPrototypes

DIM = 6


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(40, DIM)).astype("float32")


@pytest.fixture
def centroids(rng):
    """For K = 3 and K = 7, of very different lengths."""
    return [
        (rng.normal(size=(k, DIM)) * rng.uniform(0.2, 3.0, (k, 1))).astype("float32")
        for k in (3, 7)
    ]


@pytest.fixture
def layer(centroids):
    layer = IntentPrototypes((3, 7), DIM)
    layer.update(centroids)
    return layer


def test_each_vector_gets_its_nearest_centroid_for_every_k(layer, vectors, centroids):
    for (ids, _), centres in zip(layer(vectors), centroids, strict=True):
        expected = [np.argmin([np.sum((v - c) ** 2) for c in centres]) for v in vectors]
        assert np.asarray(ids).tolist() == expected
        assert len(set(expected)) > 1


def test_prototypes_are_the_own_centroids_at_length_one(layer, vectors, centroids):
    for (ids, prototypes), centres in zip(layer(vectors), centroids, strict=True):
        assert prototypes.shape == (40, DIM)
        own = centres[np.asarray(ids)]
        expected = own / np.linalg.norm(own, axis=1, keepdims=True)
        np.testing.assert_allclose(prototypes, expected, rtol=1e-5, atol=1e-6)


def test_is_finite_and_unfitted_before_the_first_update(vectors):
    layer = IntentPrototypes((3,), DIM)
    assert float(layer.fitted) == 0.0
    [(ids, prototypes)] = layer(vectors)
    assert np.isfinite(prototypes).all()
    assert set(np.asarray(ids)) <= {0, 1, 2}


def test_affinities_are_the_soft_assignment_of_dec(layer, vectors, centroids):
    for affinities, centres, (ids, _) in zip(
        layer.affinities(vectors), centroids, layer(vectors), strict=True
    ):
        closeness = 1 / (1 + ((vectors[:, None] - centres) ** 2).sum(axis=-1))
        expected = closeness / closeness.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(affinities, expected, rtol=1e-4)
        np.testing.assert_array_equal(np.argmax(affinities, axis=1), ids)


def test_update_replaces_the_centroids_and_marks_them_fitted(layer, centroids):
    layer.update([-value for value in centroids])
    assert float(layer.fitted) == 1.0
    for weight, value in zip(layer.centroids, centroids, strict=True):
        np.testing.assert_array_equal(weight, -value)


@pytest.mark.parametrize("given", [(0,), (0, 1, 1)])
def test_update_wants_one_array_per_k(layer, centroids, given):
    with pytest.raises(ValueError, match="2 arrays expected"):
        layer.update([centroids[index] for index in given])


def test_is_not_trainable(layer):
    assert layer.trainable_variables == []
    assert len(layer.non_trainable_variables) == 3


def test_centroids_stay_untrainable_when_a_model_is_frozen_and_thawed(layer):
    layer.trainable = False
    layer.trainable = True
    assert layer.trainable_variables == []


def test_config_round_trip(layer):
    config = layer.get_config()
    restored = IntentPrototypes.from_config(config)
    assert restored.get_config() == config
    assert [tuple(weight.shape) for weight in restored.centroids] == [(3, DIM), (7, DIM)]


def test_saved_layer_keeps_its_centroids(layer, vectors, reload):
    loaded = reload(layer, vectors)
    for before, after in zip(layer(vectors), loaded(vectors), strict=True):
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_compares_in_float32_whatever_the_model_computes_in(layer, vectors, centroids, dtype):
    mixed = IntentPrototypes((3, 7), DIM, dtype=f"mixed_{dtype}")
    mixed.update(centroids)
    rounded = keras.ops.cast(vectors, dtype)
    expected = layer(keras.ops.cast(rounded, "float32"))
    for got, exact in zip(mixed(rounded), expected, strict=True):
        np.testing.assert_array_equal(got[0], exact[0])
        assert got[1].dtype == "float32"
        np.testing.assert_array_equal(got[1], exact[1])
