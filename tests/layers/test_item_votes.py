import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from tf_iclrec.layers.item_votes import ItemVotes

ITEMS = 9
# Left-padded, right-padded, unknown and mask, an item twice, nothing known.
IDS = np.array(
    [[0, 0, 3, 11], [4, 7, 0, 0], [1, 5, 2, 6], [8, 8, 8, 9], [0, 1, 2, 0]], dtype="int32"
)


@pytest.fixture
def table(rng):
    """Half of the entries, none in the rows of the ids 5 and 9."""
    table = rng.normal(size=(ITEMS, ITEMS)) * (rng.random((ITEMS, ITEMS)) < 0.5)
    table[[2, 6]] = 0
    return table.astype("float32")


@pytest.fixture
def layer(table):
    layer = ItemVotes(ITEMS)
    layer.update(sparse.csr_array(table))
    return layer


@pytest.fixture
def weights(rng):
    return rng.normal(size=IDS.shape).astype("float32")


def slow_votes(table, ids, weights):
    scores = np.zeros((len(ids), ITEMS))
    for user, row in enumerate(ids):
        for step, item in enumerate(row):
            if item >= 3:
                scores[user] += weights[user, step] * table[item - 3]
    return scores


def test_scores_are_the_weighted_rows_of_the_history(layer, table, weights):
    scores = layer(IDS, weights)
    assert scores.dtype == "float32"
    np.testing.assert_allclose(scores, slow_votes(table, IDS, weights), rtol=1e-5, atol=1e-6)
    assert not np.asarray(scores[4]).any()


def test_special_ids_and_other_rows_change_nothing(layer, weights):
    alone = np.asarray(layer(IDS[:1, 2:], weights[:1, 2:]))
    np.testing.assert_array_equal(layer(IDS, weights)[:1], alone)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_without_a_user_or_an_item_there_are_no_votes(layer, shape):
    scores = layer(np.zeros(shape, "int32"), np.zeros(shape, "float32"))
    assert scores.shape == (shape[0], ITEMS)
    assert not np.asarray(scores).any()


def test_an_empty_table_gives_no_votes(weights):
    layer = ItemVotes(ITEMS)
    layer.update(sparse.csr_array((ITEMS, ITEMS)))
    assert not np.asarray(layer(IDS, weights)).any()


def test_runs_in_a_graph_of_any_batch_size(layer, table, weights):
    spec = [tf.TensorSpec([None, None], dtype) for dtype in (tf.int32, tf.float32)]
    graph = tf.function(layer.__call__, input_signature=spec)
    for rows in (slice(0, 1), slice(0, 5)):
        np.testing.assert_allclose(
            graph(IDS[rows], weights[rows]),
            slow_votes(table, IDS[rows], weights[rows]),
            rtol=1e-5,
            atol=1e-6,
        )


def test_has_no_gradients_and_wants_a_table_first(layer, weights):
    assert layer.trainable_variables == []
    with pytest.raises(ValueError, match="call update"):
        ItemVotes(ITEMS)(IDS, weights)


def test_config_round_trip_and_saving(layer, weights, reload):
    assert layer.num_entries == layer.get_config()["num_entries"]
    assert ItemVotes.from_config(layer.get_config()).get_config() == layer.get_config()
    loaded = reload(layer, IDS, weights)
    np.testing.assert_array_equal(loaded(IDS, weights), layer(IDS, weights))


def test_counts_in_float32_whatever_the_model_computes_in(layer, weights, table):
    half = ItemVotes(ITEMS, dtype="mixed_bfloat16")
    half.update(sparse.csr_array(table))
    rounded = keras.ops.cast(weights, "bfloat16")
    np.testing.assert_array_equal(
        half(IDS, rounded), layer(IDS, np.asarray(rounded).astype("float32"))
    )
