"""Weights after some steps, against the same with gradients that NumPy has added up first."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    SYSTEMS,
    Interactions,
    LazyAdam,
    ViewRatios,
    build_model,
    leave_one_out,
    make_config,
    training_batches,
)
from tf_iclrec.models import gradients
from tf_iclrec.models.gradients import add_repeated_rows, each_row_once

optimizers = keras.optimizers

# As far as a model has them.
TINY = {
    "max_length": 8,
    "hidden_dim": 8,
    "num_blocks": 1,
    "num_heads": 2,
    "dropout": 0.0,
    "num_intents": (2, 3),
    "num_samples": 16,
}
# The models that are trained by gradients. With the loss over all items the gradient of the items'
# table is dense from the start; with sampled items it never is: with one encoder of each kind.
CASES = [(name, None) for name in SYSTEMS if "learning_rate" in make_config(model=name).options()]
CASES += [
    (name, "sampled_softmax")
    for name in ("iclrec", "gru4rec", "caser", "dssrec", "bert4rec", "iclrec_ips_c", "ipsrec_s")
]


def new_model(name, loss, catalogue):
    """A tiny model."""
    keras.utils.set_random_seed(0)
    chosen = {"model": name} | ({"loss": loss} if loss else {})
    read = make_config(**chosen).options()
    tiny = {option: value for option, value in TINY.items() if option in read}
    model = build_model(make_config(**chosen, **tiny), catalogue)
    if model.needs_intents:
        rng = np.random.default_rng(0)
        shapes = [(number, model.encoder.output_dim) for number in model.num_intents]
        model.intents.update([rng.normal(size=shape).astype("float32") for shape in shapes])
    return model


@pytest.fixture(scope="module")
def split():
    """Eighteen users; of forty items, of six providers and three categories, a few are most."""
    rng = np.random.default_rng(0)
    popularity = 1.0 / np.arange(1, 41)
    drawn = [
        rng.choice(40, size=7 + user % 6, p=popularity / popularity.sum()) for user in range(18)
    ]
    # Each item once at least.
    rest = np.array_split(np.setdiff1d(np.arange(40), np.concatenate(drawn)), 18)
    sequences = {
        f"user {user}": [f"{item:02}" for item in (*few, *many)]
        for user, (few, many) in enumerate(zip(rest, drawn, strict=True))
    }
    log = Interactions.from_sequences(sequences)
    log = log.with_item_providers({f"{item:02}": f"brand {item % 6}" for item in range(40)})
    categories = {f"{item:02}": f"category {item % 3}" for item in range(40)}
    return leave_one_out(log.with_item_attribute("category", categories))


def batches(split, model):
    """Two batches of six users."""
    return training_batches(
        split,
        batch_size=6,
        max_length=8,
        task=model.encoder.task,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        views=ViewRatios() if model.needs_views else None,
        futures=model.needs_futures,
    ).take(2)


def has_repeated_rows(gradient):
    return isinstance(gradient, tf.IndexedSlices) and len(gradient.indices) > len(
        np.unique(gradient.indices)
    )


def added_up(gradient, shape):
    if not isinstance(gradient, tf.IndexedSlices):
        return np.asarray(gradient)
    total = np.zeros(shape)
    np.add.at(total, np.asarray(gradient.indices), np.asarray(gradient.values))
    return total


def gradients_of(model, batch):
    with tf.GradientTape() as tape:
        encoded = model._encode(batch)
        loss = sum(
            term.weight * sum(term(of_member) for of_member in encoded) / len(encoded)
            for term in model.objectives
        )
    return tape.gradient(loss, model.trainable_variables)


class SlowAdam:
    """Kingma and Ba 2015, Algorithm 1 with the order of Sec. 2, in NumPy."""

    def __init__(self, learning_rate, weights):
        self.learning_rate = learning_rate
        self.weights = [weight.astype("float64") for weight in weights]
        self.first = [np.zeros_like(weight) for weight in self.weights]
        self.second = [np.zeros_like(weight) for weight in self.weights]
        self.steps = 0

    def step(self, gradients):
        self.steps += 1
        alpha = self.learning_rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for weight, m, v, gradient in zip(
            self.weights, self.first, self.second, gradients, strict=True
        ):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            weight -= alpha * m / (np.sqrt(v) + 1e-7)


@pytest.mark.parametrize(("name", "loss"), CASES)
def test_every_weight_of_every_model_moves_by_the_sum_of_its_gradients(name, loss, split):
    model = new_model(name, loss, split.catalogue)
    model.compile(optimizers.Adam(0.01))
    variables = model.trainable_variables
    shapes = [variable.shape for variable in variables]
    slow = SlowAdam(0.01, [variable.numpy() for variable in variables])
    repeated = 0
    for batch in batches(split, model):
        assert len(batch["item_ids"]) == 6
        found = gradients_of(model, batch)
        repeated += sum(has_repeated_rows(gradient) for gradient in found)
        slow.step([added_up(*pair) for pair in zip(found, shapes, strict=True)])
        model.train_step(batch)
    assert slow.steps == 2
    assert repeated or not loss, "These batches can't show the difference."
    for variable, expected in zip(variables, slow.weights, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=1e-4, atol=1e-6, err_msg=variable.path)


def hundred_times_row_1(*, add):
    """Where row 1 of three is after 50 steps with a gradient of 0.01, a hundred times."""
    table = keras.Variable(np.zeros((3, 1), "float32"))
    adam = optimizers.Adam(1e-3)
    gradient = tf.IndexedSlices(tf.fill([100, 1], 0.01), tf.fill([100], 1), tf.constant([3, 1]))
    for _ in range(50):
        adam.apply(add_repeated_rows([gradient], [table], adam) if add else [gradient], [table])
    assert table.numpy()[[0, 2]].tolist() == [[0.0], [0.0]]
    return float(table[1, 0])


def test_a_row_moves_as_far_as_with_one_slice_of_the_same_sum():
    assert hundred_times_row_1(add=True) == pytest.approx(-0.050, abs=1e-6)


def test_keras_alone_still_moves_a_repeated_row_too_far():
    """Once this fails, Keras adds up by itself and `add_repeated_rows` can go."""
    assert hundred_times_row_1(add=False) == pytest.approx(-0.500, abs=1e-5)


KINDS = {
    "adam": lambda: optimizers.Adam(0.05),
    "adam, amsgrad": lambda: optimizers.Adam(0.05, amsgrad=True),
    "adam, clipnorm": lambda: optimizers.Adam(0.05, clipnorm=1.0),
    "adam, clipvalue": lambda: optimizers.Adam(0.05, clipvalue=0.5),
    "adam, global_clipnorm": lambda: optimizers.Adam(0.05, global_clipnorm=1.0),
    "adam, two batches a step": lambda: optimizers.Adam(0.05, gradient_accumulation_steps=2),
    "adam, scaled loss": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.05)),
    "adamw": lambda: optimizers.AdamW(0.05),
    "nadam": lambda: optimizers.Nadam(0.05),
    "adamax": lambda: optimizers.Adamax(0.05),
    "lamb": lambda: optimizers.Lamb(0.05),
    "rmsprop": lambda: optimizers.RMSprop(0.05),
    "rmsprop, centered": lambda: optimizers.RMSprop(0.05, momentum=0.9, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.05),
    "adadelta": lambda: optimizers.Adadelta(0.05),
    "adafactor": lambda: optimizers.Adafactor(0.05),
    "ftrl": lambda: optimizers.Ftrl(0.05),
    "lion": lambda: optimizers.Lion(0.05),
    "muon": lambda: optimizers.Muon(0.05),
    "sgd": lambda: optimizers.SGD(0.05),
    "sgd, momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
    "sgd, nesterov": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
}
# Each with the optimizer that it equals where the same rows have a gradient at every step.
LAZY_KINDS = {
    "lazy": (lambda: LazyAdam(0.05), KINDS["adam"]),
    "lazy, clipnorm": (lambda: LazyAdam(0.05, clipnorm=1.0), KINDS["adam, clipnorm"]),
    "lazy, clipvalue": (lambda: LazyAdam(0.05, clipvalue=0.5), KINDS["adam, clipvalue"]),
    "lazy, scaled loss": (
        lambda: optimizers.LossScaleOptimizer(LazyAdam(0.05)),
        KINDS["adam, scaled loss"],
    ),
}


def weights_after_four_steps(new_optimizer, *, dense):
    """A table of eight rows, of which six have a gradient, and beside it a kernel."""
    rng = np.random.default_rng(0)
    table = keras.Variable(rng.normal(size=(8, 3)).astype("float32"))
    kernel = keras.Variable(rng.normal(size=(3, 3)).astype("float32"))
    variables, optimizer = [table, kernel], new_optimizer()
    for _ in range(4):
        rows = tf.constant(np.concatenate([rng.permutation(6), rng.integers(6, size=9)]))
        values = tf.constant(rng.normal(size=(15, 3)), tf.float32)
        of_table = tf.IndexedSlices(values, rows, tf.constant([8, 3], tf.int64))
        of_kernel = tf.constant(rng.normal(size=(3, 3)), tf.float32)
        given = [tf.convert_to_tensor(of_table) if dense else of_table, of_kernel]
        optimizer.apply(add_repeated_rows(given, variables, optimizer), variables)
    return table.numpy(), kernel.numpy()


@pytest.mark.parametrize("max_dense_rows", [100, 0], ids=["dense", "sparse"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_steps_as_with_the_dense_gradient(kind, max_dense_rows, monkeypatch):
    monkeypatch.setattr(gradients, "MAX_DENSE_ROWS", max_dense_rows)
    expected = weights_after_four_steps(KINDS[kind], dense=True)
    for found, wanted in zip(
        weights_after_four_steps(KINDS[kind], dense=False), expected, strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", LAZY_KINDS)
def test_lazy_adam_steps_as_adam_with_the_dense_gradient(kind):
    lazy, adam = LAZY_KINDS[kind]
    for found, wanted in zip(
        weights_after_four_steps(lazy, dense=False),
        weights_after_four_steps(adam, dense=True),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.fixture
def slices():
    """Of eight rows the fifth twice and the third."""
    return tf.IndexedSlices(
        tf.constant([[1.0], [2.0], [4.0]]), tf.constant([5, 3, 5]), tf.constant([8, 1])
    )


def test_small_tables_get_dense_gradients_and_large_ones_sparse(slices, monkeypatch):
    table = keras.Variable(np.zeros((8, 1), "float32"))
    (dense,) = add_repeated_rows([slices], [table], optimizers.SGD())
    assert dense.numpy()[:, 0].tolist() == [0, 0, 0, 2, 0, 5, 0, 0]
    monkeypatch.setattr(gradients, "MAX_DENSE_ROWS", 7)
    (sparse,) = add_repeated_rows([slices], [table], optimizers.SGD())
    assert sparse.indices.numpy().tolist() == [5, 3]
    assert sparse.values.numpy().tolist() == [[5.0], [2.0]]
    assert sparse.dense_shape is slices.dense_shape


def test_lazy_adam_gets_sparse_gradients_whatever_the_size(slices):
    table = keras.Variable(np.zeros((8, 1), "float32"))
    (same,) = add_repeated_rows([slices], [table], LazyAdam())
    # It adds up by itself.
    assert same is slices
    for optimizer in (
        LazyAdam(clipnorm=1.0),
        LazyAdam(clipvalue=1.0),
        LazyAdam(global_clipnorm=1.0),
        optimizers.LossScaleOptimizer(LazyAdam()),
    ):
        (once,) = add_repeated_rows([slices], [table], optimizer)
        assert once.indices.numpy().tolist() == [5, 3]


def test_other_gradients_stay_as_they_are():
    variables = [keras.Variable([1.0, 2.0]), keras.Variable([3.0])]
    given = [tf.constant([0.5, 0.5]), None]
    for optimizer in (optimizers.Adam(), LazyAdam(), LazyAdam(clipnorm=1.0)):
        first, second = add_repeated_rows(given, variables, optimizer)
        assert first is given[0]
        assert second is None


def test_slices_of_any_rank_are_added_up():
    rng = np.random.default_rng(0)
    values, rows = rng.normal(size=(9, 2, 3)).astype("float32"), rng.integers(4, size=9)
    gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([5, 2, 3]))
    expected = added_up(gradient, (5, 2, 3))
    table = keras.Variable(np.zeros((5, 2, 3), "float32"))
    (dense,) = add_repeated_rows([gradient], [table], optimizers.Adam())
    np.testing.assert_allclose(dense, expected, rtol=1e-6)
    once = each_row_once(gradient)
    assert len(once.indices) == len(set(rows))
    np.testing.assert_allclose(tf.convert_to_tensor(once), expected, rtol=1e-6)
