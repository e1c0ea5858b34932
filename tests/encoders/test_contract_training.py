"""What holds for the training of every encoder."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy, build_model, make_config
from tf_iclrec.data.tasks import OwnItems
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.registry import CONTRASTS, NEXT_ITEM_LOSSES
from tf_iclrec.objectives.sequence_contrast import SequenceContrast
from tf_iclrec.settings import settings_of

from .every_encoder import (
    BATCH,
    CATALOGUE,
    ENCODERS,
    REAL,
    WITHOUT_GRADIENT,
    in_each_case,
    in_each_variant,
    new_encoder,
    of_each_name,
    variants,
    ways,
)


@pytest.fixture
def trained(variant):
    """The variant's encoder, which has its weights back after the test."""
    weights = variant.encoder.get_weights()
    yield variant.encoder
    variant.encoder.set_weights(weights)


@in_each_case
def test_padding_gets_no_gradient_and_every_real_item_does(case):
    encoder, inputs = case.encoder, case.inputs(BATCH)
    tables = {"item_ids": encoder.item_embedding}
    if "provider_ids" in inputs:
        tables["provider_ids"] = encoder.value_embeddings[0]
    with tf.GradientTape() as tape:
        states, *_ = keras.tree.flatten(encoder(inputs))
        loss = tf.reduce_sum(states * np.random.default_rng(1).normal(size=states.shape))
    variables = {name: table.embeddings.value for name, table in tables.items()}
    for name, gradient in tape.gradient(loss, variables).items():
        gradient = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(gradient).all()
        assert not gradient[0].any()
        ids = inputs[name][case.follows(len(BATCH))]
        assert gradient[np.unique(ids[ids > 0])].any(axis=1).all()


@in_each_variant
@pytest.mark.parametrize("tables", ["drawn", "zero"])
def test_a_row_of_padding_has_finite_states_and_gradients(variant, trained, tables):
    """Also where tables are zero, as published weights have it for the padding id."""
    for weight in trained.trainable_variables:
        if tables == "zero" and weight.name in ("embeddings", "table"):
            weight.assign(np.zeros(weight.shape))
    for case in ways(variant):
        for ids in ([[0, 0, 0], [0, 5, 9]], [[0, 0, 0]])[: 1 + (tables == "drawn")]:
            with tf.GradientTape() as tape:
                streams = keras.tree.flatten(trained(case.inputs(ids), training=True))
                loss = tf.add_n([tf.reduce_sum(stream**2) for stream in streams])
            for stream in streams:
                assert np.isfinite(stream).all()
                assert not np.asarray(stream)[0].any()
            for gradient in tape.gradient(loss, trained.trainable_variables):
                # Some weights take no part: of users if none is named, and of the output.
                assert gradient is None or np.isfinite(tf.convert_to_tensor(gradient)).all()


@in_each_case
def test_drops_values_only_in_training(case):
    np.testing.assert_array_equal(case.encode(BATCH, training=False), case.encoded_batch())
    dropped = np.abs(case.encode(BATCH, training=True) - case.encoded_batch()).max(axis=(2, 3))
    if case.alone and isinstance(case.encoder.task, OwnItems):
        assert not dropped.any()  # Only vectors of users are dropped from.
    else:
        assert (dropped > 1e-2).all()


def training_batch(case):
    """What a step of any training reads: each real position has a target."""
    inputs = {name: tf.constant(value) for name, value in case.inputs(BATCH).items()}
    streams = {name: ids for name, ids in inputs.items() if name != "users"}
    targets = tf.constant(np.where(REAL, BATCH % 27 + 3, 0), tf.int32)
    streams, targets = case.encoder.task.asked(streams, targets, tf.constant([0, 1]))
    pairs = {
        f"{kind}_{name}": tf.stack([ids, ids[:, ::-1]], axis=1)
        for name, ids in streams.items()
        for kind in ("view", "future")
    }
    return (
        inputs
        | streams
        | pairs
        | {
            "target_ids": targets,
            "negative_ids": tf.where(targets > 0, (targets + 4) % 27 + 3, 0),
            "sampled_ids": tf.constant([4, 11, 20, 29, 11]),
            "sampled_log_probabilities": tf.constant([-2.0, -1.0, -3.0, -2.0, -1.0]),
        }
    )


@in_each_variant
def test_a_softmax_loss_has_a_gradient_for_every_weight(variant, trained):
    model = SequentialRecommender(trained, [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.SGD(1.0), jit_compile=False)
    model.build_optimizer()
    before = {weight.path: weight.numpy() for weight in trained.trainable_variables}
    model.train_step(training_batch(variant))
    exceptions = WITHOUT_GRADIENT.get(variant.name, ())
    for weight in trained.trainable_variables:
        moved = np.abs(weight.numpy() - before[weight.path]).max() > 1e-6
        assert moved == (not weight.path.endswith(exceptions)), weight.path


@of_each_name
def test_trains_with_each_loss_and_contrasts(name):
    variant = variants(name)[0]
    encoder, batch = new_encoder(name, variant.settings), training_batch(variant)
    centroids = np.random.default_rng(2).normal(size=(2, encoder.state_dim))
    scores = []
    for number, loss in enumerate(NEXT_ITEM_LOSSES.values()):
        # The contrasts read the same of the encoder whatever the loss is.
        terms = [loss(), *([] if number else [IntentContrast(), SequenceContrast()])]
        model = SequentialRecommender(encoder, terms, num_intents=() if number else (2,))
        if model.needs_intents:
            model.intents.update([centroids])
        model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
        model.build_optimizer()
        values = model.train_step(batch)
        assert values.keys() == {"loss", *(term.name for term in terms)}
        assert all(np.isfinite(value) and value > 0 for value in values.values())
        scores.append(model(variant.inputs(BATCH)).numpy())
    assert np.isfinite(scores).all()
    assert (np.abs(np.diff(scores, axis=0)).max(axis=(1, 2)) > 1e-5).all()


@of_each_name
def test_a_system_trains_with_all_contrasts(name):
    """Whose widths fit the encoder, also of an ensemble."""
    streams = ENCODERS[name].num_streams
    kinds = [kind for kind in CONTRASTS.values() if streams > 1 or not kind.needs_sides]
    config = make_config(
        model="sasrec",
        encoder=name,
        items="items.csv",
        item_attributes="category",
        num_intents=(2,),
        **{"hidden_dim": 16, "max_length": 8, "num_members": 2},
        **{f"{kind.prefix}weight": 0.1 for kind in kinds},
    )
    model = build_model(config, CATALOGUE)
    model.intents.update([np.random.default_rng(2).normal(size=(2, model.encoder.state_dim))])
    model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
    values = model.train_step(training_batch(variants(name)[0]))
    assert values.keys() == {"loss", "next_item", *(kind.name for kind in kinds)}
    assert all(np.isfinite(value) for value in values.values())


@of_each_name
def test_learns_in_a_graph(name):
    """By the settings that have most to learn, in one block where there are several."""
    variant = variants(name)[-1]
    blocks = {"num_blocks": 1} if "num_blocks" in settings_of(ENCODERS[name]) else {}
    encoder = new_encoder(name, dict(variant.settings) | blocks)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    model.build_optimizer()
    step, batch = tf.function(model.train_step, autograph=False), training_batch(variant)
    losses = []
    for _ in range(20):
        model.reset_metrics()
        losses.append(float(step(batch)["loss"]))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
