import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.encoders.session_graph import SessionGraphEncoder
from tf_iclrec.layers import pair_attention
from tf_iclrec.layers.masks import last_valid

SETTINGS = {
    "vocabulary_size": 30,
    "max_length": 12,
    "hidden_dim": 6,
    "dropout": 0.5,
    "initializer_stddev": 0.1,
}
ITEMS = [5, 9, 4, 9]
BATCH = np.array([[0, 0, *ITEMS], [*ITEMS, 0, 0], [7, 8, *ITEMS]], dtype="int32")
# Loops, edges that occur twice, a return to the first item, and items from nowhere.
SESSIONS = [
    [3, 3, 4, 3, 3, 5],
    [7, 8, 7, 8, 7, 8, 9, 7],
    [4, 5, 6, 7, 4, 6, 5, 7, 8, 4, 9],
    [6],
    [6, 6, 6],
    list(range(3, 15)),
]


def build(**settings):
    """An encoder whose every weight matters."""
    encoder = SessionGraphEncoder(**SETTINGS | settings)
    encoder.build()
    rng = np.random.default_rng(0)
    encoder.set_weights([rng.normal(scale=0.4, size=w.shape) for w in encoder.get_weights()])
    return encoder


@pytest.fixture(params=[1, 2, 3], ids="{} steps".format)
def encoder(request):
    return build(num_steps=request.param)


def encode(encoder, ids, **kwargs):
    ids = np.atleast_2d(np.asarray(ids, dtype="int32"))
    return np.asarray(encoder({"item_ids": ids}, **kwargs)).astype("float32")


def padded(sessions):
    """Alternately on the left and on the right."""
    time = max(map(len, sessions))
    return np.array(
        [
            [0] * (time - len(items)) + items if number % 2 else items + [0] * (time - len(items))
            for number, items in enumerate(sessions)
        ],
        dtype="int32",
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slow_state(encoder, items):
    """SR-GNN Eq. 1-7 for one session, its graph kept in dictionaries."""
    leaving, entering = {}, {}  # item -> item at the other end -> occurrences
    for source, target in itertools.pairwise(items):
        edges = leaving.setdefault(source, {})
        edges[target] = edges.get(target, 0) + 1
        edges = entering.setdefault(target, {})
        edges[source] = edges.get(source, 0) + 1

    table = encoder.item_embedding.get_weights()[0].astype("float64")
    dense = {
        name: getattr(encoder.graph, name).get_weights()
        for name in ("incoming_dense", "outgoing_dense", "gates", "candidate")
    }
    dim = table.shape[1]
    state = {item: table[item] for item in items}
    for _ in range(encoder.num_steps):
        updated = {}
        for item, own in state.items():
            message = []
            for edges, (kernel, bias) in (
                (entering.get(item, {}), dense["incoming_dense"]),
                (leaving.get(item, {}), dense["outgoing_dense"]),
            ):
                sent = np.zeros(dim)
                for other, count in edges.items():
                    sent += count / sum(edges.values()) * state[other]
                message.append(sent @ kernel + bias)
            message = np.concatenate(message)
            kernel, bias = dense["gates"]
            gates = sigmoid(message @ kernel[: 2 * dim] + own @ kernel[2 * dim :] + bias)
            update, reset = gates[:dim], gates[dim:]
            kernel, bias = dense["candidate"]
            new = np.tanh(message @ kernel[: 2 * dim] + (reset * own) @ kernel[2 * dim :] + bias)
            updated[item] = (1 - update) * own + update * new
        state = updated

    (query,) = encoder.query_projection.get_weights()
    key, bias = encoder.key_dense.get_weights()
    (score,) = encoder.score.get_weights()
    last = state[items[-1]]
    everything = np.zeros(dim)
    for item in items:
        alpha = sigmoid(last @ query + state[item] @ key + bias) @ score[:, 0]
        everything += alpha * state[item]
    kernel, bias = encoder.output_dense.get_weights()
    return np.concatenate([last, everything]) @ kernel + bias


def test_matches_slow_transcription_at_each_prefix(encoder):
    ids = padded(SESSIONS)
    hidden = encode(encoder, ids)
    assert hidden.shape == (6, 12, 6)
    for row, items in enumerate(SESSIONS):
        expected = [slow_state(encoder, items[: end + 1]) for end in range(len(items))]
        np.testing.assert_allclose(hidden[row][ids[row] != 0], expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def graph_inputs(monkeypatch):
    """An encoder of one step, and what its graph network gets to see."""
    encoder = build(num_steps=1)
    seen, call = [], encoder.graph.call

    def spy(*inputs):
        seen.extend(inputs)
        return call(*inputs)

    monkeypatch.setattr(encoder.graph, "call", spy)
    return encoder, seen


def test_graph_by_hand(graph_inputs):
    """5 -> 9 -> 5 -> 4: 5 points to 9 and to 4, half and half."""
    encoder, seen = graph_inputs
    encoder.last_states({"item_ids": np.array([[5, 9, 5, 4]], dtype="int32")})
    five, nine, four = np.asarray(encoder.item_vectors(np.array([5, 9, 4])))
    states, incoming, outgoing = seen
    np.testing.assert_allclose(states, [five, nine, four])
    np.testing.assert_allclose(incoming, [nine, five, five], rtol=1e-6)
    np.testing.assert_allclose(outgoing, [(nine + four) / 2, five, np.zeros(6)], rtol=1e-6)


def test_one_step_makes_two_states_per_item(graph_inputs):
    """What prefixes share is computed once: for twelve items 23 states instead of 78."""
    encoder, seen = graph_inputs
    encode(encoder, SESSIONS[-1])
    assert len(seen[0]) == 23


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_results_do_not_depend_on_how_many_pairs_are_held_at_once(monkeypatch, encoder, at_once):
    def outputs():
        with tf.GradientTape() as tape:
            hidden = encoder({"item_ids": padded(SESSIONS)})
            loss = tf.reduce_sum(hidden**2)
        gradients = tape.gradient(loss, encoder.trainable_variables)
        return [hidden, *(tf.convert_to_tensor(x) for x in gradients)]

    expected = outputs()
    monkeypatch.setattr(pair_attention, "_PAIRS_ON_CPU", at_once)
    for value, wanted in zip(outputs(), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)


def test_gradients_match_finite_differences(encoder):
    inputs = {"item_ids": padded(SESSIONS[:3])}
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(3, 11, 6)).astype("float32")

    def loss():
        return tf.reduce_sum(encoder(inputs) * weights)

    with tf.GradientTape() as tape:
        value = loss()
    for variable, gradient in zip(
        encoder.trainable_variables,
        tape.gradient(value, encoder.trainable_variables),
        strict=True,
    ):
        before = np.asarray(variable)
        direction = rng.normal(size=before.shape).astype("float32")
        variable.assign(before + 1e-2 * direction)
        above = loss()
        variable.assign(before - 1e-2 * direction)
        slope = float(above - loss()) / 2e-2
        variable.assign(before)
        expected = float(tf.reduce_sum(tf.convert_to_tensor(gradient) * direction))
        assert math.isclose(slope, expected, rel_tol=2e-2, abs_tol=2e-2), variable.path


def test_last_states_are_those_of_the_last_positions(encoder):
    ids = np.concatenate([padded(SESSIONS), np.zeros((1, 12), dtype="int32")])
    expected = last_valid(encode(encoder, ids), ids != 0)
    states = encoder.last_states({"item_ids": ids})
    assert not np.asarray(states)[-1].any()
    np.testing.assert_allclose(states, expected, atol=2e-6)


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_users_are_encoded_without_the_prefixes_of_their_sessions(graph_inputs, temperature):
    encoder, seen = graph_inputs
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()], temperature=temperature)
    inputs = {"item_ids": padded(SESSIONS)}
    vectors = model.user_vectors(inputs)
    assert len(seen[0]) == sum(len(set(session)) for session in SESSIONS)
    # Some processors add up a matrix product of other rows in another order.
    np.testing.assert_allclose(vectors, model.encode(inputs)[0], rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("ids", [[[0, 0, 0], [0, 5, 9]], [[0, 0, 0]]])
def test_a_row_of_padding_has_finite_outputs_and_gradients(encoder, ids):
    ids = np.array(ids)
    with tf.GradientTape() as tape:
        hidden = encoder({"item_ids": ids}, training=True)
        loss = tf.reduce_sum(hidden**2)
    assert not np.asarray(hidden)[0].any()
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        gradient = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(gradient).all()
        # Without an edge TensorFlow's own gradient is whatever stood in the memory.
        assert ids.any() or not gradient.any()


def test_saved_encoder_gives_the_same_output(encoder, tmp_path):
    inputs = {"item_ids": keras.Input((None,), dtype="int32", name="item_ids")}
    outputs = encoder(inputs)
    assert outputs.shape == (None, None, 6)
    keras.Model(inputs, outputs).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_allclose(loaded({"item_ids": BATCH}), encode(encoder, BATCH), atol=1e-6)


def test_trains_in_a_recommender_that_is_saved_and_exported(tmp_path):
    model = SequentialRecommender(build(num_steps=2, dropout=0.1), [SoftmaxCrossEntropy()])
    model.compile(keras.optimizers.Adam(0.02))
    ids = padded(SESSIONS)
    batch = {"item_ids": ids, "target_ids": np.where(ids == 0, 0, np.roll(ids, -1, axis=1))}
    data = tf.data.Dataset.from_tensors(batch).repeat(20)
    losses = model.fit(data, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    scores = model({"item_ids": ids})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded({"item_ids": ids}), scores, atol=1e-5)
    spec = {"item_ids": tf.TensorSpec((None, None), tf.int32)}
    function = tf.function(lambda inputs: model.encoder.last_states(inputs), input_signature=[spec])
    module = tf.Module()
    module.model, module.serve = model, function
    tf.saved_model.save(module, str(tmp_path / "served"))
    served = tf.saved_model.load(str(tmp_path / "served"))
    states = served.serve({"item_ids": tf.constant(ids)})
    np.testing.assert_allclose(states, model.encoder.last_states({"item_ids": ids}), atol=1e-5)
