import numpy as np
import pytest

from tf_iclrec.layers.item_provider_embedding import ItemProviderEmbedding

# Internal provider ids of the special items and of three real ones.
TABLE = [0, 1, 2, 4, 3, 4]
ITEM_IDS = np.array([[0, 3, 4], [5, 2, 1]], dtype="int32")
PROVIDER_IDS = np.array([[0, 3, 3], [4, 1, 1]], dtype="int32")


@pytest.fixture
def layer(rng):
    layer = ItemProviderEmbedding(6, 5, dim=8)
    layer.build()
    layer.set_item_providers(TABLE)
    for embedding, size in ((layer.item_embedding, 6), (layer.provider_embedding, 5)):
        embedding.set_weights([rng.normal(size=(size, 8))])
    return layer


@pytest.fixture
def item_table(layer):
    return layer.item_embedding.get_weights()[0]


@pytest.fixture
def provider_table(layer):
    return layer.provider_embedding.get_weights()[0]


def test_providers_are_looked_up_and_added_to_the_items(layer, item_table, provider_table):
    items, providers = layer({"item_ids": ITEM_IDS})
    np.testing.assert_array_equal(items, item_table[ITEM_IDS] + np.asarray(providers))
    np.testing.assert_array_equal(providers, provider_table[[[0, 4, 3], [4, 2, 1]]])


def test_given_providers_win(layer, item_table, provider_table):
    items, providers = layer({"item_ids": ITEM_IDS, "provider_ids": PROVIDER_IDS})
    np.testing.assert_array_equal(items, item_table[ITEM_IDS] + np.asarray(providers))
    np.testing.assert_array_equal(providers, provider_table[PROVIDER_IDS])


def test_output_vectors_are_tied_to_those_of_the_input(layer, item_table, provider_table):
    items, providers = layer.output_vectors()
    np.testing.assert_array_equal(providers, provider_table[[4, 3, 4]])
    np.testing.assert_array_equal(items, item_table[3:] + np.asarray(providers))
    for output, expected in zip(
        layer.output_vectors(ITEM_IDS), layer({"item_ids": ITEM_IDS}), strict=True
    ):
        np.testing.assert_array_equal(output, expected)


def test_the_table_is_not_trainable(layer):
    assert len(layer.trainable_variables) == 2
    layer.trainable = False
    layer.trainable = True
    assert [weight.name for weight in layer.non_trainable_variables] == ["item_providers"]


def test_every_provider_is_padding_before_the_table_is_set():
    layer = ItemProviderEmbedding(6, 5, dim=8)
    layer.build()
    assert layer.item_providers.numpy().tolist() == [0] * 6


def test_a_table_of_another_length_is_refused(layer):
    with pytest.raises(ValueError, match="shape"):
        layer.set_item_providers(TABLE[:-1])


def test_initial_values_have_the_given_spread():
    layer = ItemProviderEmbedding(100, 100, dim=50, initializer_stddev=0.5)
    layer.build()
    for embedding in (layer.item_embedding, layer.provider_embedding):
        assert np.std(embedding.get_weights()[0]) == pytest.approx(0.5, rel=0.05)


def test_config_round_trip():
    settings = {
        "vocabulary_size": 6,
        "provider_vocabulary_size": 5,
        "dim": 8,
        "initializer_stddev": 0.5,
        "attribute_vocabulary_sizes": (4, 6),
    }
    config = ItemProviderEmbedding(**settings).get_config()
    assert config.items() >= settings.items()
    assert ItemProviderEmbedding.from_config(config).get_config() == config


def test_saved_layer_keeps_its_table(layer, reload):
    loaded = reload(layer, {"item_ids": ITEM_IDS})
    for output, expected in zip(
        loaded({"item_ids": ITEM_IDS}), layer({"item_ids": ITEM_IDS}), strict=True
    ):
        np.testing.assert_array_equal(output, expected)


def test_mixed_precision_is_near_float32(layer, in_mixed_precision):
    outputs = in_mixed_precision(layer, {"item_ids": ITEM_IDS})
    np.testing.assert_allclose(outputs, layer({"item_ids": ITEM_IDS}), atol=0.05)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_large_ids_are_looked_up_exactly_in_mixed_precision(dtype):
    layer = ItemProviderEmbedding(5000, 5000, dim=1, dtype=f"mixed_{dtype}")
    layer.build()
    layer.set_item_providers(np.arange(5000)[::-1])
    layer.provider_embedding.set_weights([(np.arange(5000.0) % 2)[:, None]])
    _, providers = layer({"item_ids": np.array([2, 4096, 4097])})
    assert providers.dtype == dtype
    assert layer.output_vectors()[1].dtype == "float32"
    assert np.asarray(providers).astype("float32").ravel().tolist() == [1, 1, 0]


# What else is known of the items

ATTRIBUTES = [np.array([0, 1, 2, 3, 3, 1]), np.array([0, 1, 2, 5, 4, 3])]


@pytest.fixture
def with_attributes(layer, rng):
    """The same layer with two further attributes, and the vectors that they add to each item."""
    other = ItemProviderEmbedding(6, 5, dim=8, attribute_vocabulary_sizes=[4, 6])
    other.build()
    other.set_item_providers(TABLE)
    other.set_item_attributes(ATTRIBUTES)
    for name in ("item_embedding", "provider_embedding"):
        getattr(other, name).set_weights(getattr(layer, name).get_weights())
    tables = [rng.normal(size=(size, 8)).astype("float32") for size in (4, 6)]
    for embedding, table in zip(other.attribute_embeddings, tables, strict=True):
        embedding.set_weights([table])
    added = [table[ids] for table, ids in zip(tables, ATTRIBUTES, strict=True)]
    return other, np.sum(added, axis=0)


@pytest.mark.parametrize("given", [{}, {"provider_ids": PROVIDER_IDS}], ids=["looked up", "given"])
def test_attributes_are_added_to_the_items_alone(layer, with_attributes, given):
    other, added = with_attributes
    items, providers = other({"item_ids": ITEM_IDS} | given)
    plain_items, plain_providers = layer({"item_ids": ITEM_IDS} | given)
    np.testing.assert_allclose(items, plain_items + added[ITEM_IDS], atol=1e-6)
    np.testing.assert_array_equal(providers, plain_providers)


def test_attributes_are_in_the_output_vectors(layer, with_attributes):
    other, added = with_attributes
    items, providers = other.output_vectors()
    plain_items, plain_providers = layer.output_vectors()
    np.testing.assert_allclose(items, plain_items + added[3:], atol=1e-6)
    np.testing.assert_array_equal(providers, plain_providers)
    of_ids, _ = other.output_vectors(np.arange(3, 6))
    np.testing.assert_allclose(of_ids, items, atol=1e-6)


def test_attribute_vectors_are_trained_and_their_tables_are_not(with_attributes):
    other, _ = with_attributes
    assert len(other.trainable_variables) == 4
    names = [weight.name for weight in other.non_trainable_variables]
    assert names == ["item_providers", "item_attribute_0", "item_attribute_1"]


def test_attribute_tables_must_be_as_many_as_the_attributes(with_attributes):
    with pytest.raises(ValueError, match="shorter"):
        with_attributes[0].set_item_attributes(ATTRIBUTES[:1])


def test_saved_layer_keeps_its_attributes(with_attributes, reload):
    other, _ = with_attributes
    loaded = reload(other, {"item_ids": ITEM_IDS})
    for output, expected in zip(
        loaded({"item_ids": ITEM_IDS}), other({"item_ids": ITEM_IDS}), strict=True
    ):
        np.testing.assert_array_equal(output, expected)
