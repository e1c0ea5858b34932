import keras
import numpy as np
import pytest

from tf_iclrec.layers.prefix_intents import PrefixIntents


@pytest.fixture
def layer():
    """Three intents, the first of which has one next item and the others three."""
    built = PrefixIntents(3, dim=2, num_next_items=3)
    built.update(np.eye(3, 2) * [[9.0], [4.0], [0.0]], np.array([[5, 5, 5], [6, 7, 8], [8, 9, 3]]))
    return built


def test_items_are_those_of_the_nearest_intent(layer):
    vectors = np.repeat(np.float32([[7, 1], [0, 3], [-1, 0]]), 200, axis=0)
    drawn = np.asarray(layer(vectors, count=2)).reshape(3, 400)
    assert set(drawn[0]) == {5}
    # Each of three items is drawn about as often; 100 would be seven deviations away.
    for row, items in ((1, {6, 7, 8}), (2, {8, 9, 3})):
        found, counts = np.unique(drawn[row], return_counts=True)
        assert set(found) == items
        assert counts.min() > 100


def test_nothing_is_drawn_before_the_first_e_step():
    drawn = PrefixIntents(4, dim=2)(np.ones((6, 2), dtype="float32"), count=5)
    assert drawn.shape == (6, 5)
    assert not np.any(drawn)


def test_fewer_intents_than_asked_for_are_all_reached(layer):
    layer.update(np.float32([[1, 0], [0, 1]]), np.array([[3, 3, 3], [4, 4, 4]]))
    drawn = layer(np.float32([[2, 1], [1, 2]]), count=2)
    assert np.asarray(drawn).tolist() == [[3, 3], [4, 4]]


def test_no_gradient_touches_it_and_a_saved_one_is_the_same(layer):
    assert layer.trainable_variables == []
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.set_weights(layer.get_weights())
    vectors = np.float32([[7, 1]])
    assert np.asarray(copy(vectors, count=1)).tolist() == [[5]]
