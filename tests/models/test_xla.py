import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import build_model, make_config, training_batches
from tf_iclrec.layers.unit_vectors import unit_vectors


def losses(split, jit_compile):
    """Of the first batch, and again after a step of training."""
    keras.utils.set_random_seed(0)
    model = build_model(make_config(model="bpr_mf", hidden_dim=8), split.catalogue)
    model.compile(keras.optimizers.SGD(1.0), jit_compile=jit_compile)
    batch = next(iter(training_batches(split, 12, model=model)))
    found = [model.train_on_batch(batch, return_dict=True)["loss"]]
    model.reset_metrics()
    return model.jit_compile, [*found, model.train_on_batch(batch, return_dict=True)["loss"]]


def test_xla_is_for_those_who_ask_for_it(split):
    compiled, expected = losses(split, "auto")
    assert not compiled
    compiled, found = losses(split, True)
    assert compiled
    assert found == pytest.approx(expected, rel=1e-5)
    assert found[1] < found[0]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_lengths_of_padded_states_have_no_gradient(jit_compile):
    """Which are zero; XLA makes NaN of that of `keras.ops.normalize`."""

    @tf.function(jit_compile=jit_compile)
    def gradient(vectors, of_units):
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            units = unit_vectors(vectors)
        return units, tape.gradient(units, vectors, of_units)

    units, found = gradient(tf.constant([[0.0, 0.0], [3.0, 4.0]]), tf.constant([[0.0] * 2, [1, 0]]))
    np.testing.assert_allclose(units, [[0, 0], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(found, [[0, 0], [0.64 / 5, -0.48 / 5]], rtol=1e-5)
