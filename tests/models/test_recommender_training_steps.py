import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import ENCODERS, Interactions, SequentialRecommender, leave_one_out, training_batches
from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce

from .small_recommenders import PROVIDERS, TERMS, TWO_STREAMS, batches, centroids, new_model, train


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
    model = new_model(model="iclrec")
    with pytest.raises(ValueError, match="views=ViewRatios"):
        model.train_step(next(iter(training_batches(split))))


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


@pytest.mark.parametrize("loss", ["sampled", "bpr"])
def test_the_padding_is_no_negative_of_who_had_every_item(loss):
    items = [f"{item:02}" for item in range(12)]
    log = Interactions.from_sequences({"all": [*items, *items[:2]], "some": items[:6]})
    model = new_model(model="sasrec", loss=loss, max_length=20)
    model.run_eagerly = True  # Two steps take less than a graph of them.
    before = np.array(model.encoder.item_vectors(np.array([0, 3])))
    train(model, leave_one_out(log), epochs=2)
    after = np.array(model.encoder.item_vectors(np.array([0, 3])))
    np.testing.assert_array_equal(after[0], before[0])
    assert np.abs(after[1] - before[1]).max() > 1e-5


def test_a_training_step_leaves_the_intents_alone(split):
    model = new_model(model="iclrec")
    model.intents.update(centroids(model))
    model.train_step(next(iter(batches(split, model))))
    for weight, value in zip(model.intents.centroids, centroids(model), strict=True):
        np.testing.assert_array_equal(weight, value)


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


@pytest.mark.parametrize("name", ["ipsrec_s", "ipsrec_c"])
def test_without_weight_there_is_no_item_provider_contrast(split, name):
    model = new_model(model=name, provider_weight=0.0)
    assert not model.needs_sides
    assert list(model.train_step(next(iter(batches(split, model))))) == ["loss", "next_item"]


@pytest.mark.parametrize("encoder", sorted(ENCODERS.keys() - {"matrix_factorization"}))
def test_every_dropout_draws_in_a_training_step(split, encoder):
    """Each of a model has a state of its own."""
    model = new_model(model="sasrec", encoder=encoder, dropout=0.5)
    states = [one for one in model.variables if one.name == "seed_generator_state"]
    assert states
    before = [one.numpy() for one in states]
    model.train_step(next(iter(batches(split, model))))
    for one, old in zip(states, before, strict=True):
        assert (one.numpy() != old).any(), one.path
