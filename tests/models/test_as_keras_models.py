"""What users of Keras expect of any model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tf_iclrec import (
    IntentClustering,
    LazyAdam,
    SelfAttentiveEncoder,
    SequentialRecommender,
    SoftmaxCrossEntropy,
    evaluation_batches,
    sequence_batches,
    training_batches,
)
from tf_iclrec.objectives.bpr_max import BprMax
from tf_iclrec.objectives.sampled_cross_entropy import SampledCrossEntropy
from tf_iclrec.objectives.sampled_softmax import SampledSoftmaxCrossEntropy

from .small_recommenders import batches, new_model


@keras.saving.register_keras_serializable("tests")
class ShortStates(SelfAttentiveEncoder):
    def call(self, inputs, training=False):
        hidden = super().call(inputs, training=training)
        self.add_loss(10.0 * ops.mean(ops.square(hidden)))
        return hidden


def test_losses_of_layers_are_learnt(split):
    def step(kind):
        keras.utils.set_random_seed(0)
        encoder = kind(15, max_length=10, hidden_dim=8, num_blocks=1, dropout=0.0)
        model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        batch = next(iter(training_batches(split, 12, model=model)))
        logs = model.train_on_batch(batch, return_dict=True)
        return logs, 10.0 * np.square(encoder(batch)).mean()

    plain, _ = step(SelfAttentiveEncoder)
    found, added = step(ShortStates)
    assert plain["loss"] == pytest.approx(plain["next_item"])
    assert found["next_item"] == pytest.approx(plain["next_item"], rel=1e-5)
    assert found["loss"] == pytest.approx(plain["loss"] + added, rel=1e-4)


def test_values_of_evaluate_are_beside_their_names(split):
    model = new_model(model="sasrec")
    held_out = evaluation_batches(split, "test")
    values = model.evaluate(held_out, verbose=0)
    expected = model.evaluate(held_out, verbose=0, return_dict=True)
    names = model.metrics_names
    assert dict(zip(names, values, strict=False)) == pytest.approx(expected)
    assert names[-2:] == ["loss", "next_item"]
    (batch,) = held_out
    assert model.test_on_batch(batch, return_dict=True) == pytest.approx(expected)


def test_what_is_made_in_a_scope_is_trained_outside_of_it(split):
    with tf.distribute.OneDeviceStrategy("cpu:0").scope():
        model = new_model(model="sasrec")
    before = model.encoder.item_vectors().numpy()
    model.fit(training_batches(split, 12, model=model), verbose=0, shuffle=False)
    assert np.abs(model.encoder.item_vectors() - before).max() > 0


def test_an_e_step_in_a_loop_of_ones_own(split):
    model = new_model(model="iclrec")
    clustering = IntentClustering(sequence_batches(split, model=model), verbose=False)
    clustering.set_model(model)
    assert [report.num_intents for report in clustering.run()] == [2, 3]
    assert model.found_intents


def test_objectives_that_do_not_go_together_are_refused():
    def of(*objectives):
        encoder = SelfAttentiveEncoder(15, max_length=10, hidden_dim=8, num_blocks=1)
        return SequentialRecommender(encoder, objectives)

    with pytest.raises(ValueError, match="Two objectives are called 'next_item'"):
        of(SoftmaxCrossEntropy(), SampledCrossEntropy())
    further = BprMax(kind="uniform")
    further.name = "further"
    with pytest.raises(ValueError, match="Batches have one kind of sampled items"):
        of(SampledSoftmaxCrossEntropy(kind="popularity"), further)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, LazyAdam])
def test_losses_can_be_scaled(split, optimizer):
    def change(factor):
        model = new_model(model="sasrec", num_blocks=1, loss="sampled", dropout=0.0)
        # So large an epsilon leaves a step in proportion to the gradient.
        model.compile(optimizer(1.0, epsilon=1.0, loss_scale_factor=factor), run_eagerly=True)
        before = [weight.numpy() for weight in model.encoder.trainable_weights]
        model.train_on_batch(next(iter(batches(split, model))))
        after = [weight.numpy() for weight in model.encoder.trainable_weights]
        return np.concatenate([np.ravel(b - a) for a, b in zip(after, before, strict=True)])

    as_it_is, scaled = change(None), change(8.0)
    assert np.abs(as_it_is).max() > 1e-3
    np.testing.assert_allclose(scaled, as_it_is, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize(
    "setting",
    [
        {"amsgrad": True},
        {"gradient_accumulation_steps": 2},
        {"weight_decay": 0.1},
        {"use_ema": True},
    ],
)
def test_lazy_adam_refuses_what_it_would_not_do(setting):
    with pytest.raises(ValueError, match=f"no {next(iter(setting))}, which touches the rows"):
        LazyAdam(**setting)


def test_only_items_are_learnt_as_targets(split):
    model = new_model(model="sasrec", dropout=0.0)
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    batch = next(iter(training_batches(split, 12, model=model)))
    before = [weight.numpy() for weight in model.trainable_weights]
    for special in (1, 2):
        ids = np.full(batch["target_ids"].shape, special, "int32")
        model.train_on_batch(batch | {"target_ids": ids})
    for one, other in zip(before, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["loss", "metrics", "loss_weights", "weighted_metrics"])
def test_losses_and_metrics_of_others_are_refused(name):
    model = new_model(model="sasrec")
    with pytest.raises(ValueError, match=rf"compile\({name}=\.\.\.\) is not read here: a Sequ"):
        model.compile("adam", **{name: ["mse"]})


def test_targets_and_weights_beside_a_batch_are_refused(split):
    model = new_model(model="sasrec")
    model.compile("adam")
    batch = next(iter(training_batches(split, 12, model=model)))
    held_out = next(iter(evaluation_batches(split, "test")))
    with pytest.raises(ValueError, match="A batch is one dictionary: its targets are in target"):
        model.train_on_batch(batch, batch["target_ids"])
    with pytest.raises(ValueError, match="A batch is one dictionary: its targets are in target"):
        model.test_on_batch(held_out, sample_weight=np.ones(len(held_out["target_ids"])))


@pytest.mark.parametrize(("name", "read"), [("caser", ["users"]), ("ipsrec_c", ["provider_ids"])])
def test_keras_exports_the_bare_model(name, read, tmp_path):
    model = new_model(model=name)
    ids = np.array([[0, 3, 4], [5, 6, 7]], dtype="int32")
    others = {"provider_ids": np.minimum(ids, 5), "users": np.array([1, -1], dtype="int32")}
    inputs = {"item_ids": ids, **{key: others[key] for key in read}}
    model.export(tmp_path / "bare", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "bare")
    np.testing.assert_allclose(loaded.serve(inputs), model(inputs), rtol=1e-4, atol=1e-6)
