import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.serving.retrieval_index import RetrievalIndex, best_of_scores, contains

NUM_ITEMS = 200


def expected(vectors, query, excluded, k):
    """By sorting all scores; the lower row first among equal ones."""
    scores = (vectors @ query).astype("float32")
    scores[excluded[excluded >= 0]] = -np.inf
    rows = np.argsort(-scores, kind="stable")[:k]
    scores = scores[rows]
    return scores, np.where(np.isinf(scores), -1, rows)


@pytest.mark.parametrize("width", [0, 1, 30, 195, 400, 600])
@pytest.mark.parametrize("k", [1, 7, NUM_ITEMS])
def test_equals_sorting_all_items(width, k):
    random = np.random.default_rng(width + k)
    # Whole numbers: many ties, and no rounding.
    vectors = random.integers(-3, 4, size=(NUM_ITEMS, 5)).astype("float32")
    queries = random.integers(-3, 4, size=(6, 5)).astype("float32")
    excluded = random.integers(-1, NUM_ITEMS, size=(6, width)).astype("int32")
    scores, rows = RetrievalIndex(vectors)(tf.constant(queries), tf.constant(excluded), k)
    assert scores.shape == rows.shape == (6, k)
    for user in range(6):
        wanted_scores, wanted_rows = expected(vectors, queries[user], excluded[user], k)
        np.testing.assert_array_equal(scores[user], wanted_scores)
        np.testing.assert_array_equal(rows[user], wanted_rows)


def test_agrees_with_the_exclusions_of_tensorflow_recommenders():
    """Where those are right: with enough items left and small scores."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(NUM_ITEMS, 8)).astype("float32")
    queries = tf.constant(random.normal(size=(4, 8)).astype("float32"))
    excluded = tf.constant(random.integers(0, NUM_ITEMS, size=(4, 9)).astype("int32"))
    index = RetrievalIndex(vectors)
    search = index._search.__self__
    wanted_scores, wanted_rows = search.query_with_exclusions(queries, excluded, k=12)
    scores, rows = index(queries, excluded, 12)
    np.testing.assert_array_equal(rows, wanted_rows)
    np.testing.assert_allclose(scores, wanted_scores, rtol=1e-6)


def test_k_and_width_are_chosen_at_call_time_in_one_graph():
    index = RetrievalIndex(np.eye(6, dtype="float32"))
    ids = tf.TensorSpec([None, None], tf.int32)
    graph = tf.function(index.__call__).get_concrete_function(
        tf.TensorSpec([None, 6]), ids, tf.TensorSpec([], tf.int32)
    )
    query = tf.constant([[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]])
    for k, excluded, rows in [(2, [[]], [0, 1]), (3, [[1, 0]], [2, 3, 4]), (1, [[0, 1, 2]], [3])]:
        found = graph(query, tf.constant(excluded, tf.int32, [1, len(excluded[0])]), tf.constant(k))
        assert found[1].numpy().tolist() == [rows]
    # So many exclusions are marked, and none is still none.
    for excluded, rows in [([0, 1] * 300, [2, 3]), ([-1] * 600, [0, 1])]:
        assert graph(query, tf.constant([excluded]), tf.constant(2))[1].numpy().tolist() == [rows]


@pytest.mark.parametrize("width", [3, 600])
def test_scores_that_are_there_already(width):
    random = np.random.default_rng(width)
    scores = random.integers(-3, 4, size=(4, NUM_ITEMS)).astype("float32")
    scores[:, ::7] = -np.inf
    excluded = random.integers(-1, NUM_ITEMS, size=(4, width)).astype("int32")
    found = best_of_scores(tf.constant(scores), tf.constant(excluded), 9)
    for user in range(4):
        wanted = expected(scores[user][:, np.newaxis], np.ones(1), excluded[user], 9)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one[user], other)


def test_scores_of_some_rows():
    random = np.random.default_rng(1)
    vectors = random.normal(size=(20, 5)).astype("float32")
    queries = random.normal(size=(2, 5)).astype("float32")
    scores = RetrievalIndex(vectors).score(tf.constant(queries), tf.constant([[3, -1], [0, 19]]))
    assert scores[0, 1] == -np.inf
    for user, column, row in [(0, 0, 3), (1, 0, 0), (1, 1, 19)]:
        np.testing.assert_allclose(scores[user, column], queries[user] @ vectors[row], rtol=1e-5)


def test_keras_3_is_in_its_place_afterwards():
    RetrievalIndex(np.eye(2, dtype="float32"))
    assert tf.keras.version().startswith("3.")


def test_contains_is_membership_row_by_row():
    random = np.random.default_rng(2)
    for width in (0, 1, 8):
        values = random.integers(-3, 30, size=(5, width)).astype("int32")
        wanted = random.integers(0, 30, size=(5, 40)).astype("int32")
        result = contains(tf.constant(values, tf.int32, values.shape), tf.constant(wanted))
        for row in range(5):
            assert result[row].numpy().tolist() == np.isin(wanted[row], values[row]).tolist()


def test_nobody_gets_nothing():
    nobody = tf.zeros([0, 3])
    for width in (0, 2):
        scores, rows = RetrievalIndex(np.eye(3, dtype="float32"))(
            nobody, tf.zeros([0, width], tf.int32), 2
        )
        assert scores.shape == rows.shape == (0, 2)
