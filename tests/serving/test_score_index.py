import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.serving.score_index import ScoreIndex

NUM_ITEMS = 200


def expected(scores, excluded, k):
    """By sorting all scores; the lower row first among equal ones."""
    scores = scores.copy()
    scores[excluded[excluded >= 0]] = -np.inf
    rows = np.argsort(-scores, kind="stable")[:k]
    scores = scores[rows]
    return scores, np.where(np.isinf(scores), -1, rows)


@pytest.mark.parametrize("width", [0, 1, 30, 195, 400, 600])
@pytest.mark.parametrize("k", [1, 7, NUM_ITEMS])
def test_equals_sorting_all_items(width, k):
    random = np.random.default_rng(width + k)
    # Whole numbers: many ties.
    queries = random.integers(-9, 10, size=(6, NUM_ITEMS)).astype("float32")
    excluded = random.integers(-1, NUM_ITEMS, size=(6, width)).astype("int32")
    scores, rows = ScoreIndex(NUM_ITEMS)(tf.constant(queries), tf.constant(excluded), k)
    assert scores.shape == rows.shape == (6, k)
    for user in range(6):
        wanted_scores, wanted_rows = expected(queries[user], excluded[user], k)
        np.testing.assert_array_equal(scores[user], wanted_scores)
        np.testing.assert_array_equal(rows[user], wanted_rows)


def test_k_and_width_are_chosen_at_call_time_in_one_graph():
    index = ScoreIndex(6)
    ids = tf.TensorSpec([None, None], tf.int32)
    graph = tf.function(index.__call__).get_concrete_function(
        tf.TensorSpec([None, 6]), ids, tf.TensorSpec([], tf.int32)
    )
    query = tf.constant([[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]])
    for k, excluded, rows in [(2, [[]], [0, 1]), (3, [[1, 0]], [2, 3, 4]), (1, [[0, 1, 2]], [3])]:
        found = graph(query, tf.constant(excluded, tf.int32, [1, len(excluded[0])]), tf.constant(k))
        assert found[1].numpy().tolist() == [rows]


def test_scores_of_some_rows():
    queries = np.random.default_rng(1).normal(size=(2, 20)).astype("float32")
    index = ScoreIndex(20)
    scores = index.score(tf.constant(queries), tf.constant([[3, -1], [0, 19]])).numpy()
    np.testing.assert_array_equal(scores, [[queries[0, 3], -np.inf], queries[1, [0, 19]]])
    scores = index.score_rows(tf.constant(queries), tf.constant([5, 7, 2])).numpy()
    np.testing.assert_array_equal(scores, queries[:, [5, 7, 2]])


def test_scores_of_minus_infinity_are_no_answer():
    scores, rows = ScoreIndex(3)(tf.constant([[-np.inf, 2.0, 1.0]]), tf.zeros((1, 0), tf.int32), 3)
    assert rows.numpy().tolist() == [[1, 2, -1]]
    assert scores.numpy().tolist() == [[2.0, 1.0, -np.inf]]
