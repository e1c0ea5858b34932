import keras
import numpy as np
import pytest

from tf_iclrec.layers.attribute_prototypes import AttributePrototypes

DIM = 6
# Of the ids 0 to 8, where 3 and above are items: a category of 3, a brand of 2, 1 = unknown.
CATEGORIES = np.array([0, 1, 2, 3, 4, 5, 3, 1, 1], dtype="int32")
BRANDS = np.array([0, 1, 2, 4, 1, 3, 3, 4, 1], dtype="int32")
# Left-padded, right-padded, unknown and mask, an item twice, nothing known of, empty.
IDS = np.array(
    [[0, 0, 3, 4], [5, 7, 0, 0], [1, 6, 2, 8], [3, 3, 5, 6], [8, 8, 1, 0], [0, 0, 0, 0]],
    dtype="int32",
)


@pytest.fixture
def layer(randomize):
    layer = AttributePrototypes(9, (6, 5), DIM)
    layer.build()
    layer.embedding = randomize(layer.embedding)
    layer.set_attributes([CATEGORIES, BRANDS])
    return layer


def slow_prototypes(layer, ids, attributes=(CATEGORIES, BRANDS), sizes=(6, 5)):
    """The mean over all known values of all items, one after the other."""
    vectors, result = np.asarray(layer.embedding.embeddings), np.zeros((len(ids), DIM))
    for row, history in zip(result, ids, strict=True):
        found = []
        for item in history:
            first = 1
            for values, size in zip(attributes, sizes, strict=True):
                if values[item] >= 3:
                    found.append(vectors[first + values[item] - 3])
                first += size - 3
        if found:
            mean = sum(found) / len(found)
            row[:] = mean / np.sqrt((mean**2).sum())
    return result


def test_is_the_mean_vector_of_the_known_values_at_length_one(layer):
    prototypes = layer(IDS)
    np.testing.assert_allclose(prototypes, slow_prototypes(layer, IDS), rtol=1e-5, atol=1e-6)
    lengths = np.linalg.norm(prototypes, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0, 0], rtol=1e-5)


def test_one_attribute_alone(randomize):
    layer = AttributePrototypes(9, (6,), DIM)
    layer.build()
    layer.embedding = randomize(layer.embedding)
    layer.set_attributes([CATEGORIES])
    expected = slow_prototypes(layer, IDS, (CATEGORIES,), (6,))
    np.testing.assert_allclose(layer(IDS), expected, rtol=1e-5, atol=1e-6)


def test_by_hand():
    """Two items of the first category and one of the second, whose vectors are at a right angle."""
    layer = AttributePrototypes(6, (5,), 2)
    layer.build()
    layer.set_attributes([[0, 1, 2, 3, 3, 4]])
    layer.embedding.set_weights([np.array([[9, 9], [1, 0], [0, 1]])])
    expected = np.array([[2, 1]]) / np.sqrt(5)
    np.testing.assert_allclose(layer(np.array([[3, 4, 5]])), expected, rtol=1e-5)


def test_padding_unknown_values_and_order_change_nothing(layer):
    expected = np.asarray(layer(np.array([[3, 4, 5]])))
    for ids in ([0, 3, 4, 5], [3, 4, 5, 0, 0], [5, 3, 4], [3, 8, 4, 1, 5, 2]):
        np.testing.assert_allclose(layer(np.array([ids])), expected, rtol=1e-5, atol=1e-6)


def test_values_are_learnt_and_the_table_is_not(layer):
    import tensorflow as tf

    assert [tuple(weight.shape) for weight in layer.trainable_variables] == [(6, DIM)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(IDS)[:, 0])
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.embedding.embeddings.value))
    assert np.isfinite(gradient).all()
    used = np.abs(gradient).sum(axis=1) > 0
    assert used.tolist() == [False, True, True, True, True, True]


def test_wants_one_table_per_attribute(layer):
    with pytest.raises(ValueError, match="zip"):
        layer.set_attributes([CATEGORIES])


def test_config_round_trip_and_saving(layer, reload):
    config = layer.get_config()
    assert AttributePrototypes.from_config(config).get_config() == config
    np.testing.assert_array_equal(reload(layer, IDS)(IDS), layer(IDS))


def test_computes_in_float32_whatever_the_model_computes_in(layer):
    config = layer.get_config() | {"dtype": "mixed_bfloat16"}
    half = AttributePrototypes.from_config(config)
    half.build()
    half.set_weights(layer.get_weights())
    assert keras.backend.standardize_dtype(half(IDS).dtype) == "float32"
    np.testing.assert_array_equal(half(IDS), layer(IDS))
