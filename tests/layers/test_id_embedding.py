import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.layers.id_embedding import IdEmbedding

IDS = np.array([[0, 3, 3], [5, 1, 0]])


def test_looks_rows_up():
    layer = IdEmbedding(6, 4)
    np.testing.assert_array_equal(layer(IDS), layer.embeddings.numpy()[IDS])


def test_the_initial_values_have_the_given_spread():
    layer = IdEmbedding(2000, 8, initializer_stddev=0.5)
    layer.build()
    assert abs(layer.embeddings.numpy().std() - 0.5) < 0.02


def test_the_gradient_is_sparse():
    layer = IdEmbedding(6, 4)
    layer.build()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(IDS))
    gradient = tape.gradient(loss, layer.embeddings)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.indices.shape == (6,)


def test_a_lookup_does_not_read_the_whole_table():
    layer = IdEmbedding(6, 4)
    layer.build()
    graph = tf.function(layer.__call__).get_concrete_function(tf.TensorSpec([None], tf.int32))
    operations = {operation.type for operation in graph.graph.get_operations()}
    assert "ResourceGather" in operations
    assert "ReadVariableOp" not in operations


def test_mixed_precision_casts_the_rows():
    layer = IdEmbedding(6, 4, dtype="mixed_bfloat16")
    assert layer(IDS).dtype == "bfloat16"
    assert layer.embeddings.dtype == "float32"


def test_comes_back_from_its_configuration():
    layer = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(IdEmbedding(6, 4, 0.1, name="items"))
    )
    assert (layer.size, layer.dim, layer.initializer_stddev, layer.name) == (6, 4, 0.1, "items")
