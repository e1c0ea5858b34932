import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.log_partition import log_partition


@pytest.mark.parametrize("block", [1, 4, 64])
@pytest.mark.parametrize("positions", [0, 1, 7])
def test_value_and_gradients_are_those_of_the_plain_operations(rng, monkeypatch, block, positions):
    monkeypatch.setattr("tf_iclrec.objectives.log_partition._VECTORS_ON_CPU", block)
    queries = tf.Variable(rng.normal(size=(positions, 2, 5)).astype("float32"))
    items = tf.Variable(rng.normal(size=(6, 5)).astype("float32"))
    weights = rng.uniform(size=positions).astype("float32")

    def plain(queries, items, weights):
        logits = tf.reshape(tf.einsum("pqd,jd->pqj", queries, items), [-1, 12])
        return tf.reduce_sum(weights * tf.reduce_logsumexp(logits, axis=1))

    results = []
    for function in (log_partition, plain):
        with tf.GradientTape() as tape:
            value = 3.0 * function(queries, items, weights)
        results.append([value, *tape.gradient(value, [queries, items])])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_large_scores_stay_finite():
    queries, items = np.full((1, 2, 4), 100.0, "float32"), np.full((3, 4), 100.0, "float32")
    assert float(log_partition(queries, items, np.ones(1))) == pytest.approx(4e4, rel=1e-4)
