import keras
import numpy as np
import pytest

from tf_iclrec import (
    IntentContrast,
    ItemProviderContrast,
    ProviderSumEncoder,
    SelfAttentiveEncoder,
    SequentialRecommender,
    evaluation_batches,
)
from tf_iclrec.evaluation.ranking import target_ranks

from .small_recommenders import (
    INPUTS,
    PROVIDERS,
    TERMS,
    TWO_STREAMS,
    batches,
    centroids,
    new_model,
    train,
)


@pytest.fixture(scope="module")
def trained(split):
    model = new_model(model="iclrec", dropout=0.1)
    return model, train(model, split, epochs=6)


def test_training_reduces_the_loss(trained):
    _, history = trained
    assert len(history["loss"]) == 6
    assert history["next_item"][-1] < 0.8 * history["next_item"][0]
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_training_beats_chance_on_held_out_items(trained, split):
    model, _ = trained
    metrics = model.evaluate(evaluation_batches(split, "test"), return_dict=True, verbose=0)
    assert metrics["MRR@5"] > 0.7


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_scores_are_products_of_user_and_item_vectors(temperature):
    model = new_model(model="iclrec", score_temperature=temperature)
    users, items = np.asarray(model.user_vectors(INPUTS)), np.asarray(model.item_vectors())
    assert (users.shape, items.shape) == ((3, 8), (12, 8))
    np.testing.assert_allclose(model(INPUTS), users @ items.T, rtol=1e-5, atol=1e-5)
    hidden, embedded = np.array(model.encoder(INPUTS)), np.array(model.encoder.item_vectors())
    hidden = hidden[[0, 1, 2], [3, 3, 1]]
    if temperature:
        hidden /= 0.1 * np.linalg.norm(hidden, axis=1, keepdims=True)
        embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    np.testing.assert_allclose(users, hidden, rtol=1e-5)
    np.testing.assert_allclose(items, embedded, rtol=1e-5)
    np.testing.assert_allclose(model.item_vectors(np.array([[4, 14]])), items[[[1, 11]]], rtol=1e-5)


def test_user_vector_is_the_last_items_and_mean_vector_leaves_out_padding(trained):
    model, _ = trained
    hidden = np.asarray(model.encoder(INPUTS))
    users, means = model.user_vectors(INPUTS), model.mean_vectors(INPUTS)
    for row, (first, end) in enumerate([(2, 4), (0, 4), (0, 2)]):
        np.testing.assert_allclose(users[row], hidden[row, end - 1], rtol=1e-6)
        np.testing.assert_allclose(means[row], hidden[row, first:end].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("name", TWO_STREAMS)
def test_user_and_mean_vectors_of_two_streams_are_side_by_side(name):
    model = new_model(model=name)
    hidden = np.concatenate(model.encoder(INPUTS), axis=-1)
    assert hidden.shape == (3, 4, 16)
    users, means = model.user_vectors(INPUTS), model.mean_vectors(INPUTS)
    for row, (first, end) in enumerate([(2, 4), (0, 4), (0, 2)]):
        np.testing.assert_allclose(users[row], hidden[row, end - 1], rtol=1e-6)
        np.testing.assert_allclose(means[row], hidden[row, first:end].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("name", TWO_STREAMS)
def test_a_score_adds_what_each_side_says(name):
    model = new_model(model=name)
    items, providers = (np.asarray(stream)[1, -1] for stream in model.encoder(INPUTS))
    tables = (model.encoder.embedding.item_embedding, model.encoder.embedding.provider_embedding)
    item_table, provider_table = (table.get_weights()[0] for table in tables)
    scores = model(INPUTS)
    for item in range(3, 15):
        provider = provider_table[PROVIDERS.of_items[item]]
        expected = items @ (item_table[item] + provider) + providers @ provider
        assert float(scores[1, item - 3]) == pytest.approx(expected, abs=1e-6)


def test_evaluation_averages_the_ranks_of_all_users(trained, split):
    model, _ = trained
    data = evaluation_batches(split, "valid", batch_size=10)
    metrics = model.evaluate(data, return_dict=True, verbose=0)
    ranks = np.concatenate(
        [target_ranks(model(batch), batch["target_ids"], batch["seen_ids"]) for batch in data]
    )
    assert len(ranks) == 36
    assert metrics["MRR@20"] == pytest.approx(np.mean(1 / ranks), rel=1e-5)
    assert set(metrics) == {f"{kind}@{k}" for kind in ("HR", "NDCG", "MRR") for k in (5, 10, 20)}


def test_saved_model_gives_the_same_scores_and_intents(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(INPUTS), model(INPUTS))
    assert float(loaded.intents.fitted) == 1.0
    for weight, saved in zip(model.intents.centroids, loaded.intents.centroids, strict=True):
        assert np.abs(weight).max() > 0.01
        np.testing.assert_array_equal(saved, weight)


def test_saved_model_can_be_trained_further(trained, split, tmp_path):
    model, history = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True  # Three steps take less than a graph of them.
    assert train(loaded, split, epochs=1)["loss"][0] < history["loss"][1]


@pytest.fixture(scope="module")
def two_streams(split):
    """A model of two streams after some steps on one batch, and the logs of the steps."""
    model = new_model(model="iclrec_ips_c", dropout=0.1)
    model.intents.update(centroids(model))
    batch = next(iter(batches(split, model)))
    logs = []
    for _ in range(6):
        model.reset_metrics()
        logs.append({name: float(value) for name, value in model.train_step(batch).items()})
    return model, logs


def test_training_on_two_streams_reduces_the_loss(two_streams):
    first, *_, last = two_streams[1]
    assert list(first) == ["loss", *TERMS["iclrec_ips_c"]]
    for name in ("loss", "next_item", "item_provider_contrast"):
        assert last[name] < 0.9 * first[name]


def test_saved_model_looks_providers_up(two_streams, tmp_path):
    model, _ = two_streams
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(INPUTS), model(INPUTS))
    with_providers = INPUTS | {"provider_ids": PROVIDERS.of_items[INPUTS["item_ids"]]}
    np.testing.assert_array_equal(loaded(INPUTS), model(with_providers))
    others = INPUTS | {"provider_ids": np.where(INPUTS["item_ids"] > 0, 1, 0)}
    assert np.abs(model(others) - loaded(INPUTS)).max() > 1e-4
    assert [term.name for term in loaded.objectives] == TERMS["iclrec_ips_c"]


@pytest.mark.parametrize("name", ["iclrec", *TWO_STREAMS])
def test_config_round_trip(name):
    config = new_model(model=name).get_config()
    assert SequentialRecommender.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("iclrec", "mixed_bfloat16"),
        ("iclrec", "mixed_float16"),
        ("iclrec_ips_s", "mixed_bfloat16"),
        ("iclrec_ips_c", "mixed_float16"),
    ],
)
def test_trains_and_scores_in_mixed_precision(split, name, dtype):
    full = new_model(model=name)
    full.intents.update(centroids(full))
    config = full.get_config()
    config["encoder"]["config"]["dtype"] = dtype
    model = SequentialRecommender.from_config(config)
    model.build()
    model.set_weights(full.get_weights())
    model.compile(keras.optimizers.Adam(0.02))
    scores = model(INPUTS)
    assert scores.dtype == "float32"
    assert model.user_vectors(INPUTS).dtype == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(scores, full(INPUTS), atol=0.02)
    logs = model.train_step(next(iter(batches(split, model))))
    assert all(np.isfinite(value) and value > 0 for value in logs.values())
    trained, untrained = model.encoder.trainable_variables, full.encoder.trainable_variables
    for weight, old in zip(trained, untrained, strict=True):
        assert np.isfinite(weight).all()
        assert not np.array_equal(weight, old)


def test_the_setting_chooses_bfloat16(split):
    model = new_model(model="sasrec", mixed_precision=True)
    assert model.encoder.compute_dtype == "bfloat16"
    assert model.encoder.item_embedding.embeddings.dtype == "float32"


def test_objectives_that_need_intents_want_their_number():
    encoder = SelfAttentiveEncoder(vocabulary_size=15, max_length=10)
    with pytest.raises(ValueError, match="give num_intents"):
        SequentialRecommender(encoder, [IntentContrast()])


def test_objectives_of_two_sides_want_an_encoder_with_two_streams():
    for encoder in (
        SelfAttentiveEncoder(vocabulary_size=15, max_length=10),
        ProviderSumEncoder(15, 7, max_length=10),
    ):
        with pytest.raises(ValueError, match="need an encoder with a provider stream"):
            SequentialRecommender(encoder, [ItemProviderContrast()])


@pytest.mark.parametrize("given", [3, np.int64(3), (3,), np.array([3]), [np.int32(3)]])
def test_numbers_of_intents_may_be_numpys(given, tmp_path):
    encoder = SelfAttentiveEncoder(vocabulary_size=15, max_length=10)
    model = SequentialRecommender(encoder, [IntentContrast()], given)
    model.build()
    model.save(tmp_path / "model.keras")
    assert (
        model.num_intents == keras.saving.load_model(tmp_path / "model.keras").num_intents == (3,)
    )


def test_what_is_clustered_is_the_mean_of_the_items_not_of_the_question(split):
    """BERT4Rec is asked by a mask behind the last item; in training there is none."""
    model = new_model(model="bert4rec", intent_weight=0.1, num_intents=(2,), dropout=0.0)
    batch = {"item_ids": np.array([[0, 3, 4], [5, 6, 7]], dtype="int32")}
    asked = model.encoder.ask_next(batch)
    states = np.asarray(model.encoder(asked))
    expected = [states[0, 1:3].mean(axis=0), states[1, :3].mean(axis=0)]
    np.testing.assert_allclose(model.mean_vectors(batch), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.user_vectors(batch), states[:, 3], rtol=1e-5, atol=1e-6)
