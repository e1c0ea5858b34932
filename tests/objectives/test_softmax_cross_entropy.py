import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.softmax_cross_entropy import SoftmaxCrossEntropy, softmax_cross_entropy


def slow_losses(hidden, item_vectors, targets):
    terms = []
    for h, target in zip(hidden, targets, strict=True):
        scores = [sum(a * b for a, b in zip(h, item, strict=True)) for item in item_vectors]
        total = sum(math.exp(score) for score in scores)
        terms.append(-math.log(math.exp(scores[target]) / total))
    return np.array(terms)


def random_batch(rng, positions):
    hidden = rng.normal(size=(positions, 4)).astype("float32")
    items = rng.normal(size=(6, 4)).astype("float32")
    weights = rng.uniform(size=positions).astype("float32")
    return hidden, items, rng.integers(6, size=(positions, 1)).astype("int32"), weights[:, None]


def test_matches_slow_transcription(rng):
    hidden, items, targets, weights = random_batch(rng, 10)
    loss = float(softmax_cross_entropy(hidden, items, targets, weights))
    assert loss == pytest.approx(
        slow_losses(hidden, items, targets[:, 0]) @ weights[:, 0], rel=1e-5
    )


def test_by_hand():
    # Scores ln 1, ln 2 and ln 5: the second of them has probability 2/8.
    items = np.log([[1.0], [2.0], [5.0]])
    loss = softmax_cross_entropy(np.array([[1.0]]), items, np.array([[1]]), np.array([[1.0]]))
    assert float(loss) == pytest.approx(math.log(4))


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("positions", [1, 63, 64, 65, 200])
def test_loss_and_gradients_are_those_of_the_plain_operations(rng, positions, k):
    hidden, items, _, _ = random_batch(rng, positions)
    targets = rng.integers(6, size=(positions, k)).astype("int32")
    weights = rng.uniform(size=(positions, k)).astype("float32")

    def plain(hidden, items):
        logits = tf.matmul(hidden, items, transpose_b=True)
        losses = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(column, logits) for column in targets.T
        ]
        return tf.reduce_sum(tf.stack(losses, axis=1) * weights)

    def ours(hidden, items):
        return softmax_cross_entropy(hidden, items, targets, weights)

    @tf.function
    def value_and_gradients(function):
        inputs = [tf.constant(hidden), tf.constant(items)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = 3.0 * function(*inputs)
        return loss, *tape.gradient(loss, inputs)

    for result, expected in zip(value_and_gradients(ours), value_and_gradients(plain), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_large_scores_stay_finite():
    hidden, items = np.array([[100.0]]), np.array([[100.0], [-100.0]])
    for target, expected in ((0, 0.0), (1, 2e4)):
        loss = softmax_cross_entropy(hidden, items, np.array([[target]]), np.array([[1.0]]))
        assert float(loss) == pytest.approx(expected)


def test_objective_is_the_mean_over_real_positions(encoded, item_table):
    real = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)]
    hidden = [encoded.hidden[at] for at in real]
    columns = [encoded.target_ids[at] - 3 for at in real]
    expected = slow_losses(hidden, item_table[3:], columns)
    assert float(SoftmaxCrossEntropy()(encoded)) == pytest.approx(expected.mean(), rel=1e-5)


def test_weights_of_positions_replace_the_mean(encoded, item_table):
    weights = np.array([[0, 0.5, 0], [0, 0, 0.25], [0, 0, 2]], dtype="float32")
    weighted = dataclasses.replace(encoded, target_weights=weights)
    at = [(0, 1), (1, 2), (2, 2)]
    hidden = [encoded.hidden[place] for place in at]
    columns = [encoded.target_ids[place] - 3 for place in at]
    expected = slow_losses(hidden, item_table[3:], columns) @ [0.5, 0.25, 2]
    assert float(SoftmaxCrossEntropy()(weighted)) == pytest.approx(expected, rel=1e-5)


def test_further_items_count_less_and_each_position_the_same(encoded, item_table):
    # How many more items follow the next one at each real position.
    later = {(0, 1): 1, (0, 2): 0, (1, 0): 2, (1, 1): 1, (1, 2): 0, (2, 2): 0}
    expected = 0.0
    for (row, step), more in later.items():
        shares = np.array([1.0, 0.5, 0.25])[: 1 + min(more, 2)]
        columns = encoded.target_ids[row][step : step + len(shares)] - 3
        losses = slow_losses([encoded.hidden[row, step]] * len(shares), item_table[3:], columns)
        expected += losses @ (shares / shares.sum()) / len(later)
    loss = SoftmaxCrossEntropy(horizon=3)(encoded)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_padded_positions_contribute_nothing(encoded, moved):
    changed = moved("hidden", encoded.target_ids == 0, by=100.0)
    assert float(SoftmaxCrossEntropy()(changed)) == float(SoftmaxCrossEntropy()(encoded))


def test_is_a_named_term_that_survives_saving():
    term = SoftmaxCrossEntropy(weight=0.5, horizon=3, decay=0.25)
    assert (term.name, term.needs_negatives, term.needs_views) == ("next_item", False, False)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert type(loaded) is SoftmaxCrossEntropy
    assert loaded.get_config() == {"weight": 0.5, "horizon": 3, "decay": 0.25}
