import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.gated_recurrent_unit import GatedRecurrentUnit

VALID = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 0, 1]], dtype=bool)


@pytest.fixture
def layer():
    keras.utils.set_random_seed(0)
    layer = GatedRecurrentUnit(3)
    layer.build((None, None, 4))
    for bias in (layer.bias, layer.recurrent_bias):
        bias.assign(np.random.default_rng(1).normal(size=bias.shape))
    return layer


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


def plain(layer, inputs, valid):
    """The equations with TensorFlow's own gradients."""
    w, u = layer.kernel.value, layer.recurrent_kernel.value
    state, states = tf.zeros([len(inputs), 3]), []
    for step in range(inputs.shape[1]):
        own = tf.split(inputs[:, step] @ w + layer.bias.value, 3, axis=1)
        asked = tf.split(state @ u, 3, axis=1)
        update, reset = (tf.sigmoid(own[gate] + asked[gate]) for gate in (0, 1))
        candidate = tf.tanh(own[2] + reset * (asked[2] + layer.recurrent_bias.value))
        new = (1 - update) * state + update * candidate
        state = tf.where(valid[:, step, None], new, state)
        states.append(state)
    return tf.stack(states, axis=1)


def states_and_gradients(function, layer, inputs):
    inputs = tf.constant(inputs)
    direction = np.random.default_rng(2).normal(size=(3, 5, 3)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        states = function(inputs)
        value = tf.reduce_sum(states * direction)
    sources = [inputs, *(w.value for w in layer.weights)]
    return [states, *tape.gradient(value, sources)]


@pytest.mark.parametrize("in_graph", [False, True])
def test_states_and_gradients_are_those_of_the_equations(layer, inputs, in_graph):
    own = tf.function(lambda x: layer(x, VALID)) if in_graph else lambda x: layer(x, VALID)
    found = states_and_gradients(own, layer, inputs)
    expected = states_and_gradients(lambda x: plain(layer, x, VALID), layer, inputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_is_the_gru_of_keras(layer, inputs):
    reference = keras.layers.GRU(3, return_sequences=True)
    reference.build((None, None, 4))
    update, reset, rest = np.split(layer.recurrent_kernel.numpy(), 3, axis=1)
    # Keras' update gate is one minus the one of the paper.
    turned = np.repeat([-1, 1, 1], 3)
    recall = np.concatenate([np.zeros(6), layer.recurrent_bias.numpy()])
    reference.set_weights(
        [
            layer.kernel.numpy() * turned,
            np.concatenate([-update, reset, rest], axis=1),
            np.stack([layer.bias.numpy() * turned, recall]),
        ]
    )
    expected = np.asarray(reference(inputs, mask=VALID))
    np.testing.assert_allclose(layer(inputs, VALID).numpy()[VALID], expected[VALID], atol=1e-6)


def test_hands_the_state_on_over_padding(layer, inputs):
    states = layer(inputs, VALID).numpy()
    assert not states[0, :2].any()
    np.testing.assert_array_equal(states[1, 3:], states[[1, 1], 2])
    np.testing.assert_array_equal(states[2, [1, 3]], states[2, [0, 2]])
    shown = layer(inputs[2:, [0, 2, 4]], np.ones((1, 3), dtype=bool))
    np.testing.assert_allclose(states[2:, [0, 2, 4]], shown, atol=1e-6)


def test_config_round_trip(layer):
    assert GatedRecurrentUnit.from_config(layer.get_config()).get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 5, 4)) == (None, 5, 3)
