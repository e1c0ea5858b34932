import keras
import numpy as np
import pytest

from tf_iclrec import (
    IntentClustering,
    IntentContrast,
    Interactions,
    SelfAttentiveEncoder,
    SequentialRecommender,
    ViewRatios,
    build_model,
    evaluation_batches,
    make_config,
    sequence_batches,
    training_batches,
)
from tf_iclrec.evaluation.ranking import target_ranks
from tf_iclrec.objectives.intent_contrast import intent_contrast
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce

SMALL = {"hidden_dim": 8, "num_blocks": 1, "max_length": 10, "num_intents": (2, 3)}
TERMS = {
    "iclrec": ["next_item", "sequence_contrast", "intent_contrast"],
    "cl4srec": ["next_item", "sequence_contrast"],
    "sasrec": ["next_item"],
}
CENTROIDS = np.split(np.random.default_rng(0).normal(size=(5, 8)).astype("float32"), [2])
INPUTS = {"item_ids": np.array([[0, 0, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]], dtype="int32")}


@pytest.fixture(scope="module")
def log():
    """Users walk round a circle of twelve items, so the next item can be learned."""
    return Interactions.from_sequences(
        {f"user {u}": [f"{(u + step) % 12:02}" for step in range(5 + u % 4)] for u in range(36)}
    )


def new_model(**settings):
    keras.utils.set_random_seed(0)
    config = make_config(**SMALL | settings)
    model = build_model(config, vocabulary_size=15)
    model.compile(keras.optimizers.Adam(0.02))
    return model


def batches(log, model):
    return training_batches(
        log,
        batch_size=12,
        max_length=10,
        negatives=model.needs_negatives,
        views=ViewRatios() if model.needs_views else None,
    )


def train(model, log, epochs):
    """Losses per epoch."""
    callbacks = []
    if model.needs_intents:
        callbacks.append(IntentClustering(sequence_batches(log), verbose=False))
    data = batches(log, model)
    return model.fit(data, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0).history


@pytest.fixture(scope="module")
def trained(log):
    model = new_model(model="iclrec", dropout=0.1)
    return model, train(model, log, epochs=6)


def test_training_reduces_the_loss(trained):
    _, history = trained
    assert len(history["loss"]) == 6
    assert history["next_item"][-1] < 0.8 * history["next_item"][0]
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_training_beats_chance_on_held_out_items(trained, log):
    model, _ = trained
    metrics = model.evaluate(evaluation_batches(log, "test"), return_dict=True, verbose=0)
    assert metrics["MRR@5"] > 0.7


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_logs_have_every_term_and_their_weighted_sum(log, name, loss):
    model = new_model(model=name, loss=loss)
    if model.intents is not None:
        model.intents.update(CENTROIDS)
    logs = model.train_step(next(iter(batches(log, model))))
    assert list(logs) == ["loss", *TERMS[name]]
    values = {term: float(value) for term, value in logs.items()}
    assert all(value > 0 for value in values.values())
    weights = dict(zip(TERMS["iclrec"], (1.0, 0.1, 0.1), strict=True))
    expected = sum(weights[term] * values[term] for term in TERMS[name])
    assert values["loss"] == pytest.approx(expected, rel=1e-5)


def test_contrast_terms_compare_the_views_of_each_sequence_with_its_intent(log):
    model = new_model(model="iclrec", dropout=0.0, normalize_contrast=False, num_intents=(2,))
    model.intents.update(CENTROIDS[:1])
    batch = next(iter(batches(log, model)))
    views = [{"item_ids": batch["view_item_ids"][:, view]} for view in (0, 1)]
    flat = [np.reshape(model.encoder(view), (12, -1)) for view in views]
    sequence_contrast = float(two_view_info_nce(*flat))
    [(ids, prototypes)] = model.intents(model.mean_vectors(batch))
    means = [model.mean_vectors(view) for view in views]
    losses = [float(intent_contrast(mean, prototypes, intent_ids=ids)) for mean in means]
    logs = model.train_step(batch)
    assert float(logs["sequence_contrast"]) == pytest.approx(sequence_contrast, rel=1e-5)
    assert float(logs["intent_contrast"]) == pytest.approx(np.mean(losses), rel=1e-5)


def test_logged_losses_are_means_over_the_epoch(log):
    model = new_model(model="sasrec")
    steps = [float(model.train_step(batch)["loss"]) for batch in batches(log, model)]
    # The running mean after n steps gives back the n-th step's own loss.
    own = [steps[0]] + [n * steps[n - 1] - (n - 1) * steps[n - 2] for n in range(2, len(steps) + 1)]
    assert len(own) == 3
    assert steps[-1] == pytest.approx(np.mean(own))
    assert len(set(steps)) == 3


def test_terms_of_weight_0_are_left_out_bit_for_bit(log):
    plain = new_model(model="sasrec")
    without = new_model(model="iclrec", intent_weight=0.0, sequence_weight=0.0)
    assert train(plain, log, epochs=2) == train(without, log, epochs=2)
    assert without.intents is None
    for weight, other in zip(plain.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_every_weight_of_the_encoder_is_trained(log):
    model = new_model(model="iclrec", relative_positions=False)
    before = model.encoder.get_weights()
    model.train_step(next(iter(batches(log, model))))
    for weight, old in zip(model.encoder.weights, before, strict=True):
        assert np.abs(weight - old).max() > 1e-5, weight.path


def test_a_training_step_leaves_the_intents_alone(log):
    model = new_model(model="iclrec")
    model.intents.update(CENTROIDS)
    model.train_step(next(iter(batches(log, model))))
    for weight, value in zip(model.intents.centroids, CENTROIDS, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_scores_are_products_of_user_and_item_vectors(trained):
    model, _ = trained
    users = np.asarray(model.user_vectors(INPUTS))
    items = np.asarray(model.encoder.item_vectors())
    assert (users.shape, items.shape) == ((3, 8), (12, 8))
    np.testing.assert_allclose(model(INPUTS), users @ items.T, rtol=1e-5, atol=1e-5)


def test_user_vector_is_the_last_items_and_mean_vector_leaves_out_padding(trained):
    model, _ = trained
    hidden = np.asarray(model.encoder(INPUTS))
    users, means = model.user_vectors(INPUTS), model.mean_vectors(INPUTS)
    for row, (first, end) in enumerate([(2, 4), (0, 4), (0, 2)]):
        np.testing.assert_allclose(users[row], hidden[row, end - 1], rtol=1e-6)
        np.testing.assert_allclose(means[row], hidden[row, first:end].mean(axis=0), rtol=1e-5)


def test_evaluation_averages_the_ranks_of_all_users(trained, log):
    model, _ = trained
    data = evaluation_batches(log, "valid", batch_size=10)
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


def test_saved_model_can_be_trained_further(trained, log, tmp_path):
    model, history = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert train(loaded, log, epochs=1)["loss"][0] < history["loss"][1]


def test_config_round_trip():
    config = new_model(model="iclrec").get_config()
    assert SequentialRecommender.from_config(config).get_config() == config


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_trains_and_scores_in_mixed_precision(log, dtype):
    full = new_model(model="iclrec")
    full.intents.update(CENTROIDS)
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
    logs = model.train_step(next(iter(batches(log, model))))
    assert all(np.isfinite(value) and value > 0 for value in logs.values())
    trained = model.encoder.get_weights()
    for weight, old in zip(trained, full.encoder.get_weights(), strict=True):
        assert np.isfinite(weight).all()
        assert not np.array_equal(weight, old)


def test_the_setting_chooses_bfloat16(log):
    model = new_model(model="sasrec", mixed_precision=True)
    assert model.encoder.compute_dtype == "bfloat16"
    assert model.encoder.item_embedding.embeddings.dtype == "float32"


def test_objectives_that_need_intents_want_their_number():
    encoder = SelfAttentiveEncoder(vocabulary_size=15, max_length=10)
    with pytest.raises(ValueError, match="give num_intents"):
        SequentialRecommender(encoder, [IntentContrast()])
