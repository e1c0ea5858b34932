import keras
import numpy as np
import pytest

from tf_iclrec import (
    IntentClustering,
    build_model,
    make_config,
    sequence_batches,
    training_batches,
)
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.vocabulary import PADDING_ID


@pytest.fixture(scope="module")
def log():
    return planted_intents(num_users=300, num_items=60, num_intents=3)[0]


@pytest.fixture
def model(log):
    keras.utils.set_random_seed(0)
    config = make_config(
        num_members=2,
        hidden_dim=16,
        num_prefix_intents=20,
        intent_smoothing=0.2,
        intent_weight=0.0,
    )
    built = build_model(config, log.items.size)
    built.compile(keras.optimizers.Adam(1e-2))
    return built


def clustering(model, log, **settings):
    callback = IntentClustering(sequence_batches(log, batch_size=128), verbose=False, **settings)
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def prefixes(model, log):
    batches = list(sequence_batches(log, batch_size=128))
    vectors = np.concatenate([model.intent_vectors(batch)[1] for batch in batches])
    targets = np.concatenate([batch["target_ids"].numpy().ravel() for batch in batches])
    return vectors, targets[targets != PADDING_ID]


def test_vectors_of_prefixes_are_the_states_of_all_members_at_length_1(log, model):
    batch = next(iter(sequence_batches(log, batch_size=5)))
    vectors = np.asarray(model.intent_vectors(batch)[1])
    assert len(vectors) == np.count_nonzero(batch["item_ids"])
    np.testing.assert_allclose(np.linalg.norm(vectors.reshape(-1, 2, 16), axis=-1), 1, rtol=1e-5)
    # The last one is that of the whole history of the last user.
    whole = np.asarray(model.user_vectors(batch))[-1].reshape(2, 16)
    whole = whole / np.linalg.norm(whole, axis=-1, keepdims=True)
    np.testing.assert_allclose(vectors[-1].reshape(2, 16), whole, atol=1e-5)


def test_the_e_step_keeps_items_that_follow_the_prefixes_of_an_intent(log, model):
    callback = clustering(model, log)
    callback.run(epoch=1)
    report = callback.prefix_report
    vectors, targets = prefixes(model, log)
    intents = model.prefix_intents
    centroids = intents.prototypes.centroids[0].numpy()
    nearest = ((vectors[:, None] - centroids[None]) ** 2).sum(-1).argmin(1)
    assert report.sizes.sum() == len(vectors)
    assert report.num_intents == 20
    for intent, kept in enumerate(intents.next_items.numpy()):
        assert set(kept) <= set(targets[nearest == intent])
    drawn = np.asarray(intents(vectors, count=4))
    assert set(drawn[nearest == 7].ravel()) <= set(targets[nearest == 7])


def test_after_some_epochs_the_items_of_an_intent_are_alike(log, model):
    model.fit(
        training_batches(log, 64),
        epochs=6,
        callbacks=[clustering(model, log)],
        shuffle=False,
        verbose=0,
    )
    # Twenty items each, in the order of their names.
    items = log.items.decode(model.prefix_intents.next_items.numpy().ravel())
    of_items = (np.array(items).astype(int) // 20).reshape(20, -1)
    most = np.stack([(of_items == intent).mean(1) for intent in range(3)]).max(0)
    assert most.mean() > 0.8


def test_the_second_e_step_goes_on_from_the_first(log, model, monkeypatch):
    monkeypatch.setattr("tf_iclrec.training.intent_clustering._PREFIX_ITERATIONS", 1)
    callback = clustering(model, log)
    inertia = []
    for epoch in range(1, 6):
        callback.run(epoch)
        inertia.append(callback.prefix_report.inertia)
    # A new start would end where the first did.
    assert inertia[-1] < 0.99 * inertia[0]


def test_few_prefixes_have_few_intents(model, log):
    callback = IntentClustering(sequence_batches(log, max_users=10), verbose=False)
    callback.set_model(model)
    callback.on_train_begin()
    callback.run(epoch=1)
    report = callback.prefix_report
    assert report.num_intents == report.sizes.sum() // 30 < 20


def test_of_many_prefixes_some_are_clustered(log, model, monkeypatch):
    monkeypatch.setattr("tf_iclrec.training.intent_clustering._MOST_PREFIXES", 40)
    callback = clustering(model, log)
    found = []
    for epoch in (1, 2, 1):
        callback.run(epoch)
        found.append(callback.prefix_report.sizes)
    # 800 of about 1,500, others in another epoch, the same in the same one.
    for sizes in found:
        assert sizes.sum() == pytest.approx(800, abs=80)
    assert found[0].sum() != found[1].sum()
    assert found[0].sum() == found[2].sum()


def test_the_first_epoch_has_no_intents_yet(log, model):
    callback = clustering(model, log)
    callback.on_epoch_begin(0)
    assert not model.prefix_intents.next_items.numpy().any()
    callback.on_epoch_begin(1)
    assert model.prefix_intents.next_items.numpy().all()


def test_the_line_of_an_e_step_says_it_all(log, model, capsys):
    callback = clustering(model, log)
    callback.verbose = True
    callback.run(epoch=1)
    line = capsys.readouterr().out
    for word in ("Intents of prefixes", "K=20", "inertia", "cluster sizes", "empty"):
        assert word in line


def test_a_model_without_such_intents_is_refused(log):
    model = build_model(make_config(model="sasrec", hidden_dim=16), log.items.size)
    with pytest.raises(ValueError, match="leave the callback out"):
        clustering(model, log)
