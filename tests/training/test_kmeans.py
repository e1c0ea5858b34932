import numpy as np
import pytest

from tf_iclrec import UserError
from tf_iclrec.training.kmeans import kmeans


@pytest.fixture
def blobs():
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    labels = np.repeat([0, 1, 2], 50)
    return (centres[labels] + random.normal(size=(150, 2))).astype("float32"), labels


def test_kmeans_finds_separate_blobs(blobs):
    vectors, labels = blobs
    clusters = kmeans(vectors, k=3)
    pairs = set(zip(labels.tolist(), clusters.assignments.tolist(), strict=True))
    assert len(pairs) == 3


def test_kmeans_inertia_is_the_sum_of_squared_distances(blobs):
    vectors, _ = blobs
    clusters = kmeans(vectors, k=3)
    distances = ((vectors - clusters.centroids[clusters.assignments]) ** 2).sum()
    assert clusters.inertia == pytest.approx(distances, rel=1e-4)


def test_kmeans_assigns_to_the_nearest_centroid(blobs):
    vectors, _ = blobs
    clusters = kmeans(vectors, k=5)
    distances = ((vectors[:, None] - clusters.centroids[None]) ** 2).sum(-1)
    np.testing.assert_array_equal(clusters.assignments, distances.argmin(1))


def test_kmeans_uses_every_vector_however_many_there_are():
    # Two points far apart among a thousand: a sample would miss one of them.
    vectors = np.zeros((1000, 2), dtype="float32")
    vectors[7], vectors[500] = [100, 0], [0, 100]
    assert kmeans(vectors, k=3, iterations=30).inertia == 0.0


def test_a_warm_start_begins_at_the_given_centroids(blobs):
    vectors, labels = blobs
    exact = np.stack([vectors[labels == label].mean(0) for label in range(3)])
    clusters = kmeans(vectors, k=3, iterations=1, initial=exact)
    np.testing.assert_allclose(clusters.centroids, exact, rtol=1e-4, atol=1e-4)


def test_more_clusters_than_vectors_are_refused():
    with pytest.raises(UserError, match="The largest K that works is 5"):
        kmeans(np.zeros((5, 2), dtype="float32"), k=6)


def test_centroids_of_a_sample_still_assign_every_vector(blobs):
    vectors, labels = blobs
    clusters = kmeans(vectors, k=3, vectors_per_cluster=10)
    assert len(clusters.assignments) == clusters.sizes.sum() == 150
    pairs = set(zip(labels.tolist(), clusters.assignments.tolist(), strict=True))
    assert len(pairs) == 3
    # The mean of ten is not that of fifty.
    whole = kmeans(vectors, k=3)
    assert clusters.inertia > whole.inertia
