import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.layers.user_embedding import UserEmbedding


@pytest.fixture
def layer():
    layer = UserEmbedding(3, 4, initializer_stddev=1.0)
    layer.build()
    return layer


def test_users_without_a_row_have_the_vector_zero(layer):
    users = np.array([2, -1, 0, 3], dtype="int32")
    table = layer.get_weights()[0]
    expected = np.stack([table[2], np.zeros(4), table[0], np.zeros(4)])
    np.testing.assert_array_equal(layer(users), expected)
    assert layer.known(users).numpy().tolist() == [True, False, True, False]


def test_users_without_a_row_change_none(layer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.array([1, -1, 3])))
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.embeddings.value))
    assert gradient.numpy().any(axis=1).tolist() == [False, True, False]


def test_config_round_trip(layer):
    assert UserEmbedding.from_config(layer.get_config()).get_config() == layer.get_config()
