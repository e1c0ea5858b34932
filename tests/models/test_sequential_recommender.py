import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    Catalogue,
    IntentClustering,
    IntentContrast,
    Interactions,
    ItemAttribute,
    ItemProviderContrast,
    ProviderSumEncoder,
    SelfAttentiveEncoder,
    SequentialRecommender,
    ViewRatios,
    Vocabulary,
    build_model,
    evaluation_batches,
    leave_one_out,
    make_config,
    sequence_batches,
    training_batches,
)
from tf_iclrec.evaluation.ranking import target_ranks
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce

# As far as a model reads them.
SMALL = {
    "hidden_dim": 8,
    "num_blocks": 1,
    "max_length": 10,
    "num_intents": (2, 3),
    # As published; ensembles, cosines and intents without views have tests of their own.
    "num_members": 1,
    "score_temperature": 0.0,
    "horizon": 1,
    "intent_views": "augmented",
    "intent_temperature": 1.0,
}
# All objectives that a model can have.
WEIGHTS = {
    "iclrec": {"sequence_weight": 0.1},
    "iclrec_ips_s": {"sequence_weight": 0.1, "provider_weight": 0.1},
    "iclrec_ips_c": {"sequence_weight": 0.1, "provider_weight": 0.1},
}
TERMS = {
    "iclrec": ["next_item", "sequence_contrast", "intent_contrast"],
    "cl4srec": ["next_item", "sequence_contrast"],
    "sasrec": ["next_item"],
    "ipsrec_s": ["next_item", "item_provider_contrast"],
    "ipsrec_c": ["next_item", "item_provider_contrast"],
    "iclrec_ips_s": [
        *("next_item", "sequence_contrast", "intent_contrast", "item_provider_contrast"),
    ],
    "iclrec_ips_c": [
        *("next_item", "sequence_contrast", "intent_contrast", "item_provider_contrast"),
    ],
    "provider_sum": ["next_item"],
}
TWO_STREAMS = ["iclrec_ips_s", "iclrec_ips_c"]
PROVIDERS = ItemAttribute(
    Vocabulary([f"brand {number}" for number in range(4)]),
    np.array([0, 1, 2, *(3 + item // 3 for item in range(12))], dtype="int32"),
)
INPUTS = {"item_ids": np.array([[0, 0, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]], dtype="int32")}


@pytest.fixture(scope="module")
def split():
    """Users walk round a circle of twelve items, so the next item can be learned. Three in a
    row have the same provider."""
    sequences = {
        f"user {u}": [f"{(u + step) % 12:02}" for step in range(5 + u % 4)] for u in range(36)
    }
    brands = {f"{item:02}": f"brand {item // 3}" for item in range(12)}
    return leave_one_out(Interactions.from_sequences(sequences).with_item_providers(brands))


def centroids(model):
    """Two and three intents."""
    rng = np.random.default_rng(0)
    shapes = [(k, model.encoder.output_dim) for k in (2, 3)]
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def new_model(**settings):
    keras.utils.set_random_seed(0)
    chosen = WEIGHTS.get(settings["model"], {}) | settings
    read = make_config(**chosen).options()
    small = {option: value for option, value in SMALL.items() if option in read}
    model = build_model(make_config(**small | chosen), Catalogue(num_items=12, providers=PROVIDERS))
    model.compile(keras.optimizers.Adam(0.02))
    return model


def batches(split, model):
    return training_batches(
        split,
        batch_size=12,
        max_length=10,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        views=ViewRatios() if model.needs_views else None,
    )


def train(model, split, epochs):
    """Losses per epoch."""
    callbacks = []
    if model.needs_intents:
        callbacks.append(IntentClustering(sequence_batches(split), verbose=False))
    data = batches(split, model)
    return model.fit(data, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0).history


@pytest.fixture(scope="module")
def trained(split):
    model = new_model(model="iclrec", dropout=0.1)
    return model, train(model, split, epochs=6)


def test_training_reduces_the_loss(trained):
    _, history = trained
    assert len(history["loss"]) == 6
    assert history["next_item"][-1] < 0.8 * history["next_item"][0]
    assert history["loss"][-1] < 0.8 * history["loss"][0]


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_the_training_step_is_traced_once(split, monkeypatch, dtype):
    traced, step = [], SequentialRecommender.train_step
    monkeypatch.setattr(
        SequentialRecommender, "train_step", lambda *given: traced.append(1) or step(*given)
    )
    keras.config.set_dtype_policy(dtype)
    try:
        train(new_model(model="sasrec"), split, epochs=2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert len(traced) == 1


def test_training_beats_chance_on_held_out_items(trained, split):
    model, _ = trained
    metrics = model.evaluate(evaluation_batches(split, "test"), return_dict=True, verbose=0)
    assert metrics["MRR@5"] > 0.7


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        *((name, "softmax") for name in TERMS),
        ("sasrec", "sampled"),
        ("iclrec", "sampled"),
        ("sasrec", "sampled_softmax"),
        ("iclrec_ips_c", "sampled_softmax"),
    ],
)
def test_logs_have_every_term_and_their_weighted_sum(split, name, loss):
    model = new_model(model=name, loss=loss)
    if model.intents is not None:
        model.intents.update(centroids(model))
    logs = model.train_step(next(iter(batches(split, model))))
    assert list(logs) == ["loss", *TERMS[name]]
    values = {term: float(value) for term, value in logs.items()}
    assert all(value > 0 for value in values.values())
    expected = sum((1.0 if term == "next_item" else 0.1) * values[term] for term in TERMS[name])
    assert values["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["iclrec", *TWO_STREAMS])
def test_contrast_terms_compare_views_intents_and_providers_of_each_sequence(split, name):
    settings = {"dropout": 0.0, "normalize_contrast": False, "num_intents": (2,)}
    # Undivided, the products are so large that the losses are 0.
    temperatures = {"sequence_temperature": 10.0, "intent_temperature": 10.0}
    model = new_model(model=name, **temperatures, **settings)
    batch = next(iter(batches(split, model)))
    # The vectors of two unlike users, so that both intents have some.
    own = np.asarray(model.mean_vectors(batch))
    model.intents.update([own[[0, np.argmax(np.linalg.norm(own - own[0], axis=1))]]])
    # Other providers than the items' own, which the model would look up.
    for ids in ("provider_ids", "view_provider_ids"):
        batch[ids] = tf.where(batch[ids] > 2, 9 - batch[ids], batch[ids])
    streams = ("item_ids", "provider_ids")
    views = [{ids: batch[f"view_{ids}"][:, view] for ids in streams} for view in (0, 1)]
    hidden = [np.concatenate(keras.tree.flatten(model.encoder(view)), -1) for view in views]
    flat = [np.reshape(states, (12, -1)) for states in hidden]
    [(ids, prototypes)] = model.intents(model.mean_vectors(batch))
    means = [model.mean_vectors(view) for view in views]
    losses = [float(in_batch_info_nce(mean, prototypes, 10.0, ids)) for mean in means]
    expected = {
        "sequence_contrast": float(two_view_info_nce(*flat, 10.0)),
        "intent_contrast": np.mean(losses),
    }
    if name in TWO_STREAMS:
        # Batches are padded on the left.
        sides = [stream[:, -1] for stream in model.encoder(batch)]
        expected["item_provider_contrast"] = float(in_batch_info_nce(*sides))
    logs = model.train_step(batch)
    for term, value in expected.items():
        assert float(logs[term]) == pytest.approx(value, rel=1e-5)


def test_intent_contrast_without_views_compares_the_sequence_itself(split):
    settings = {"dropout": 0.0, "sequence_weight": 0.0, "intent_fnm": False, "num_intents": (3,)}
    model = new_model(model="iclrec", intent_views="dropout", intent_temperature=0.1, **settings)
    assert not model.needs_views
    model.intents.update(centroids(model)[1:])
    batch = next(iter(batches(split, model)))
    assert "view_item_ids" not in batch
    means = np.array(model.mean_vectors(batch))
    [(_, prototypes)] = model.intents(means)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = float(in_batch_info_nce(means, prototypes, 0.1))
    assert expected > 0.1
    assert float(model.train_step(batch)["intent_contrast"]) == pytest.approx(expected, rel=1e-4)


def test_batches_without_views_are_refused_where_views_are_compared(split):
    with pytest.raises(ValueError, match="views=ViewRatios"):
        new_model(model="iclrec").fit(training_batches(split), shuffle=False, verbose=0)


def test_logged_losses_are_means_over_the_epoch(split):
    model = new_model(model="sasrec")
    steps = [float(model.train_step(batch)["loss"]) for batch in batches(split, model)]
    # The running mean after n steps gives back the n-th step's own loss.
    own = [steps[0]] + [n * steps[n - 1] - (n - 1) * steps[n - 2] for n in range(2, len(steps) + 1)]
    assert len(own) == 3
    assert steps[-1] == pytest.approx(np.mean(own))
    assert len(set(steps)) == 3


def test_terms_of_weight_0_are_left_out_bit_for_bit(split):
    plain = new_model(model="sasrec")
    without = new_model(model="iclrec", intent_weight=0.0, sequence_weight=0.0)
    assert train(plain, split, epochs=2) == train(without, split, epochs=2)
    assert without.intents is None
    for weight, other in zip(plain.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_every_weight_of_the_encoder_is_trained(split):
    model = new_model(model="iclrec", relative_positions=False)
    before = model.encoder.get_weights()
    model.train_step(next(iter(batches(split, model))))
    for weight, old in zip(model.encoder.weights, before, strict=True):
        assert np.abs(weight - old).max() > 1e-5, weight.path


@pytest.mark.parametrize(("name", "relative"), [("iclrec_ips_s", False), ("iclrec_ips_c", True)])
def test_every_weight_is_trained_but_the_table_of_providers(split, name, relative):
    model = new_model(model=name, relative_positions=relative)
    model.intents.update(centroids(model))
    before = [np.array(weight) for weight in model.trainable_variables]
    model.train_step(next(iter(batches(split, model))))
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert np.abs(weight - old).max() > 1e-5, weight.path
    np.testing.assert_array_equal(model.encoder.embedding.item_providers, PROVIDERS.of_items)


def test_a_training_step_leaves_the_intents_alone(split):
    model = new_model(model="iclrec")
    model.intents.update(centroids(model))
    model.train_step(next(iter(batches(split, model))))
    for weight, value in zip(model.intents.centroids, centroids(model), strict=True):
        np.testing.assert_array_equal(weight, value)


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


@pytest.mark.parametrize("loss", ["softmax", "sampled_softmax", "sampled"])
def test_losses_see_cosines_divided_by_the_temperature(loss, split):
    """A state longer by any factor, and items likewise, change nothing."""
    model = new_model(model="sasrec", loss=loss, score_temperature=0.1, dropout=0.0)
    batch = next(iter(batches(split, model)))
    losses = []
    for factor in (1.0, 3.0):
        (encoded,) = model._encode(batch)
        losses.append(float(model.objectives[0](encoded)))
        table = model.encoder.item_embedding.embeddings
        table.assign(table * factor)  # A LayerNorm follows, so the states stay as they are.
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[0] > 0


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
    assert train(loaded, split, epochs=1)["loss"][0] < history["loss"][1]


@pytest.fixture(scope="module")
def two_streams(split):
    """A model of two streams after some steps on one batch, and the logs of the steps."""
    model = new_model(model="iclrec_ips_c", dropout=0.1)
    model.intents.update(centroids(model))
    batch = next(iter(batches(split, model)))
    logs = []
    for _ in range(8):
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


@pytest.mark.parametrize("name", ["ipsrec_s", "ipsrec_c"])
def test_without_weight_there_is_no_item_provider_contrast(split, name):
    model = new_model(model=name, provider_weight=0.0)
    assert not model.needs_sides
    assert list(model.train_step(next(iter(batches(split, model))))) == ["loss", "next_item"]


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
    model = new_model(model="iclrec_ips_s", num_members=2, score_temperature=0.1)
    train(model, split, epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(INPUTS), model(INPUTS), rtol=1e-5)
