import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    ItemAttribute,
    Vocabulary,
    limit_per_provider,
    provider_affinities,
    provider_mean_vectors,
)

NUM_PROVIDERS = 6


@pytest.fixture(scope="module", params=range(4))
def catalogue(request):
    """Providers of 40 items, some unknown and one without an item, and scores with many ties."""
    rng = np.random.default_rng(request.param)
    of_items = np.concatenate([[0, 1, 2], rng.choice([1, 3, 4, 5, 6, 7], size=40)])
    providers = ItemAttribute(
        Vocabulary([f"p{i}" for i in range(NUM_PROVIDERS)]), of_items.astype(np.int32)
    )
    return providers, rng.integers(-4, 5, size=(25, 40)).astype("float32")


def test_affinities_are_sums_of_probabilities(catalogue):
    providers, scores = catalogue
    expected = np.zeros((25, NUM_PROVIDERS))
    for row, values in enumerate(scores.astype("float64")):
        total = sum(np.exp(value) for value in values)
        for item, value in enumerate(values):
            if providers.of_items[item + 3] >= 3:
                expected[row, providers.of_items[item + 3] - 3] += np.exp(value) / total
    affinities = provider_affinities(tf.constant(scores), providers).numpy()
    assert affinities.dtype == np.float32
    np.testing.assert_allclose(affinities, expected, atol=1e-6)
    assert not affinities[:, -1].any()
    assert (affinities.sum(axis=1) < 0.999).all()


def test_affinities_of_known_providers_sum_to_one():
    providers = ItemAttribute(Vocabulary(["a", "b"]), np.array([0, 1, 2, 3, 4, 3], dtype=np.int32))
    scores = tf.random.stateless_normal((50, 3), (1, 2), stddev=30.0)
    sums = provider_affinities(scores, providers).numpy().sum(axis=1)
    np.testing.assert_allclose(sums, 1.0, atol=1e-5)


@pytest.mark.parametrize("limit", [1, 2, 5, 40])
def test_limit_keeps_the_best_items_of_each_provider(catalogue, limit):
    providers, scores = catalogue
    expected = np.full_like(scores, -np.inf)
    for row, values in enumerate(scores):
        kept = dict.fromkeys(range(3, 3 + NUM_PROVIDERS), 0)
        for item in sorted(range(40), key=lambda item: (-values[item], item)):
            provider = int(providers.of_items[item + 3])
            if provider == 1 or kept[provider] < limit:
                expected[row, item] = values[item]
                kept[provider] = kept.get(provider, 0) + 1
    limited = limit_per_provider(tf.constant(scores), providers, limit).numpy()
    assert limited.dtype == np.float32
    np.testing.assert_array_equal(limited, expected)


def test_items_of_unknown_provider_are_not_limited():
    providers = ItemAttribute(Vocabulary(["a"]), np.array([0, 1, 2, 1, 3, 1, 3, 1], dtype=np.int32))
    limited = limit_per_provider(tf.constant([[1.0, 2.0, 3.0, 4.0, 5.0]]), providers, 1)
    assert limited.numpy().tolist() == [[1.0, -np.inf, 3.0, 4.0, 5.0]]


def test_a_limit_works_in_a_graph(catalogue):
    providers, scores = catalogue
    graph = tf.function(lambda values: limit_per_provider(values, providers, 2))
    expected = limit_per_provider(tf.constant(scores), providers, 2)
    np.testing.assert_array_equal(graph(tf.constant(scores)), expected)


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_below_one_is_refused(catalogue, limit):
    providers, scores = catalogue
    with pytest.raises(ValueError, match=f"limit must be at least 1, not {limit}"):
        limit_per_provider(tf.constant(scores), providers, limit)


def test_mean_vectors_agree_with_a_loop(catalogue):
    providers, _ = catalogue
    vectors = np.random.default_rng(9).normal(size=(40, 5)).astype("float32")
    expected = np.zeros((NUM_PROVIDERS, 5))
    for provider in range(NUM_PROVIDERS):
        own = [vectors[item] for item in range(40) if providers.of_items[item + 3] == provider + 3]
        expected[provider] = np.mean(own, axis=0) if own else 0.0
    means = provider_mean_vectors(tf.constant(vectors), providers).numpy()
    np.testing.assert_allclose(means, expected, atol=1e-6)
    assert not means[-1].any()
