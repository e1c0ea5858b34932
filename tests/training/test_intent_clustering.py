import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    IntentClustering,
    UserError,
    build_model,
    leave_one_out,
    make_config,
    sequence_batches,
    training_batches,
)
from tf_iclrec.data.augmentation import ViewRatios
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.errors import NonFiniteLossError
from tf_iclrec.settings import settings_of
from tf_iclrec.training.intent_clustering import (
    clustering_of_training_users,
    kmeans,
    users_to_cluster,
)
from tf_iclrec.training.train_recommender import train_recommender


@pytest.fixture
def blobs():
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    labels = np.repeat([0, 1, 2], 50)
    return (centres[labels] + random.normal(size=(150, 2))).astype("float32"), labels


@pytest.fixture
def split():
    return leave_one_out(planted_intents(num_users=300, num_items=60, num_intents=3)[0])


@pytest.fixture
def model(split):
    keras.utils.set_random_seed(0)
    built = build_model(
        make_config(num_blocks=1, num_intents=(4, 8), hidden_dim=16),
        split.catalogue,
    )
    built.compile(keras.optimizers.Adam(1e-2))
    return built


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


def test_kmeans_takes_the_largest_seed(blobs):
    assert kmeans(blobs[0], k=3, seed=settings_of(train_recommender)["seed"].setting.at_most)


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


def test_the_e_step_writes_centroids_of_mean_pooled_sequences(split, model):
    callback = IntentClustering(sequence_batches(split), verbose=False)
    callback.set_model(model)
    callback.on_train_begin()
    reports = callback.run()
    vectors = np.concatenate([model.mean_vectors(batch) for batch in sequence_batches(split)])
    for report, weight in zip(reports, model.intents.centroids, strict=True):
        distances = ((vectors[:, None] - weight.numpy()[None]) ** 2).sum(-1)
        assert report.sizes.sum() == len(vectors) == 300
        assert report.inertia == pytest.approx(distances.min(1).sum(), rel=1e-3)
    assert float(model.intents.fitted) == 1.0


def test_the_second_e_step_starts_from_the_first(split, model):
    callback = IntentClustering(sequence_batches(split), verbose=False)
    callback.set_model(model)
    callback.on_train_begin()
    assert np.isnan(callback.run()[0].moved)
    # Nothing was learnt in between, and K-means had converged: no one moves.
    callback.iterations = 100
    callback.run()
    assert callback.run()[0].moved < 0.01


def test_after_an_interruption_as_many_users_have_moved(split, model):
    """Compared with their intents at the last E-step, whose vectors were others."""
    callback, other = (IntentClustering(sequence_batches(split), verbose=False) for _ in range(2))
    for one in (callback, other):
        one.set_model(model)
        one.on_train_begin()
    callback.run()
    other.restore(json.loads(json.dumps(callback.state())))
    table = model.encoder.item_embedding.embeddings
    table.assign(np.random.default_rng(1).normal(size=table.shape))
    centroids = model.intents.get_weights()
    expected = [report.moved for report in callback.run()]
    model.intents.set_weights(centroids)
    assert [report.moved for report in other.run()] == expected
    assert min(expected) > 0


def test_warm_up_epochs_have_no_intents(split, model):
    callback = IntentClustering(sequence_batches(split), warm_up_epochs=1, verbose=False)
    train = training_batches(split, 128, views=ViewRatios())
    history = model.fit(train, epochs=2, callbacks=[callback], verbose=0, shuffle=False).history
    assert history["intent_contrast"][0] == 0.0
    assert history["intent_contrast"][1] > 0.0


def test_the_report_of_an_epoch_is_in_its_logs(split, model):
    callback = IntentClustering(sequence_batches(split), verbose=False)
    logs = {}
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0, logs)
    assert {"intent_seconds", "intent_inertia_4", "intent_empty_8", "intent_moved_8"} <= set(logs)


def test_the_line_of_an_e_step_says_it_all(split, model, capsys):
    callback = IntentClustering(sequence_batches(split))
    callback.set_model(model)
    callback.on_train_begin()
    callback.run()
    callback.run()
    line = capsys.readouterr().out.splitlines()[-1]
    for word in ("K=8", " s,", "inertia", "cluster sizes", "empty", "moved"):
        assert word in line


def test_nan_vectors_stop_the_training(split, model):
    model.encoder.item_embedding.set_weights(
        [np.full((split.catalogue.vocabulary_size, 16), np.nan)]
    )
    callback = IntentClustering(sequence_batches(split), verbose=False)
    callback.set_model(model)
    callback.on_train_begin()
    with pytest.raises(NonFiniteLossError, match="NaN"):
        callback.run()


def test_a_model_without_intents_is_refused(split):
    model = build_model(make_config(model="sasrec", hidden_dim=16), split.catalogue)
    callback = IntentClustering(sequence_batches(split))
    callback.set_model(model)
    with pytest.raises(ValueError, match="leave the callback out"):
        callback.on_train_begin()


def test_longer_sequences_than_the_model_reads_are_refused(split):
    """As in fit, which the E-step is part of; positions further back would all be the first one."""
    config = make_config(num_blocks=1, num_intents=(4,), hidden_dim=8, max_length=3)
    model = build_model(config, split.catalogue)
    clustering = IntentClustering(sequence_batches(split), verbose=False)
    clustering.set_model(model)
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than max_length=3 items"):
        clustering.run()
    assert not model.found_intents
    clustering = IntentClustering(sequence_batches(split, model=model), verbose=False)
    clustering.set_model(model)
    clustering.run()
    assert model.found_intents


@pytest.mark.parametrize(
    ("num_intents", "clustered_users", "expected"),
    [((2, 4), 200, 200), ((4, 2), 100, 39 * 4), ((2,), 1, 39 * 2), ((8,), 1000, 300)],
)
def test_the_e_step_of_a_training_sees_so_many_of_its_users(
    split, num_intents, clustered_users, expected
):
    callback = clustering_of_training_users(
        split,
        max_length=5,
        seed=3,
        num_intents=num_intents,
        kmeans_iterations=7,
        warm_up_epochs=2,
        clustered_users=clustered_users,
    )
    ids = [batch["item_ids"].numpy() for batch in callback.sequences]
    assert sum(map(len, ids)) == expected
    assert max(batch.shape[1] for batch in ids) == 5
    assert (callback.iterations, callback.warm_up_epochs, callback.seed) == (7, 2, 3)
    most = users_to_cluster(num_intents, clustered_users)
    assert min(most, 300) == expected


def test_a_callback_that_another_model_had_finds_those_of_this_one(split, model):
    keras.utils.set_random_seed(1)
    other = keras.models.clone_model(model)
    sequences = sequence_batches(split)
    reused, new = (IntentClustering(sequences, verbose=False) for _ in range(2))
    reused.set_model(model)
    reused.run()
    found = []
    for clustering in (reused, new):
        clustering.set_model(other)
        other.intents.fitted.assign(0.0)
        found.append([report.inertia for report in clustering.run()])
        assert np.isnan(clustering.reports[0].moved)
    assert found[0] == found[1]
