import numpy as np
import pytest

from tf_iclrec.encoders.gru import GruEncoder
from tf_iclrec.settings import settings_of

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 8,
    "hidden_dim": 16,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")


def build(**settings):
    """An encoder whose every weight matters, the biases included."""
    encoder = GruEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.3, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(
    params=[{}, {"num_layers": 2, "gru_dim": 12}], ids=["one_layer", "two_layers_of_other_width"]
)
def encoder(request):
    return build(**request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slow_states(layer, inputs):
    """Hidasi et al. Eq. 2-5, step by step, with the reset gate after the product."""
    kernel, recurrent, bias, recall_bias = (w.numpy().astype("float64") for w in layer.weights)
    wz, wr, w = np.split(kernel, 3, axis=1)
    uz, ur, u = np.split(recurrent, 3, axis=1)
    bz, br, b = np.split(bias, 3)
    state, states = np.zeros(layer.units), []
    for x in inputs:
        update = sigmoid(x @ wz + state @ uz + bz)
        reset = sigmoid(x @ wr + state @ ur + br)
        candidate = np.tanh(x @ w + b + reset * (state @ u + recall_bias))
        state = (1 - update) * state + update * candidate
        states.append(state)
    return np.array(states)


def test_matches_slow_transcription(encoder):
    hidden = encoder.item_embedding.get_weights()[0][ITEMS]
    for layer in encoder.recurrent_layers:
        hidden = slow_states(layer, hidden)
    if encoder.output_projection:
        kernel, bias = encoder.output_projection.get_weights()
        hidden = hidden @ kernel + bias
    np.testing.assert_allclose(encode(encoder, ITEMS)[0], hidden, atol=2e-6)


def test_declares_its_settings():
    declared = settings_of(GruEncoder)
    assert {"hidden_dim", "dropout", "num_layers", "gru_dim"} <= set(declared)
    assert (declared["num_layers"].default, declared["gru_dim"].default) == (1, 0)
