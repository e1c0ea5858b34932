import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import ItemAttribute, UserError, Vocabulary
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.objectives.attribute_contrast import AttributeContrast
from tf_iclrec.objectives.sequence_contrast import two_view_info_nce

# Categories of the four items; of the last nothing is known.
KINDS = ItemAttribute(Vocabulary(["tea", "jam"]), np.array([0, 1, 2, 3, 4, 3, 1], dtype="int32"))
MAKERS = ItemAttribute(Vocabulary(["ann"]), np.array([0, 1, 2, 1, 3, 1, 1], dtype="int32"))
CATALOGUE = Catalogue(4, attributes={"kind": KINDS})


@pytest.fixture
def batch(encoded):
    """The first and the last user have tea alone, the second tea and jam."""
    return dataclasses.replace(encoded, item_ids=np.array([[0, 3, 5], [4, 3, 0], [0, 0, 5]]))


@pytest.fixture
def built(rng):
    def built(catalogue=CATALOGUE, **settings):
        term = AttributeContrast(**settings)
        term.build(catalogue, dim=4)
        vectors = term.layer.embedding
        vectors.set_weights([rng.normal(size=w.shape) for w in vectors.get_weights()])
        return term

    return built


def slow_prototypes(term, item_ids, attribute=KINDS):
    vectors = np.asarray(term.layer.embedding.embeddings)
    result = np.zeros((len(item_ids), 4), dtype="float32")
    for row, items in zip(result, item_ids, strict=True):
        values = [attribute.of_items[item] for item in items if attribute.of_items[item] >= 3]
        if values:
            mean = np.mean([vectors[value - 2] for value in values], axis=0)
            row[:] = mean / np.linalg.norm(mean)
    return result


@pytest.mark.parametrize("mitigate", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_is_icl_with_the_mean_category_as_the_intent(
    batch, built, slow_in_batch_info_nce, mitigate, normalize
):
    term = built(temperature=0.5, normalize=normalize, mitigate_false_negatives=mitigate)
    views = batch.view_vectors
    if normalize:
        views = views / np.linalg.norm(views, axis=-1, keepdims=True)
    prototypes = slow_prototypes(term, batch.item_ids)
    groups = [0, 1, 0] if mitigate else None
    expected = [slow_in_batch_info_nce(view, prototypes, 0.5, groups) for view in views]
    assert float(term(batch)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_by_hand(built, batch):
    """The view of tea is at right angles with jam: log(1 + e^0 / e^1)."""
    term = built(mitigate_false_negatives=True, views="dropout")
    term.layer.embedding.set_weights([np.eye(4)[:3]])
    two = dataclasses.replace(
        batch, item_ids=np.array([[3], [4]]), own_vectors=np.eye(4, dtype="float32")[1:3]
    )
    assert float(term(two)) == pytest.approx(np.log1p(np.exp(-1)), rel=1e-5)


def test_users_of_one_category_are_found_where_float32_is_multiplied_in_tf32(
    batch, built, monkeypatch
):
    """As GPUs do it: with 10 bits of the mantissa."""
    term = built(mitigate_false_negatives=True, views="dropout")
    expected = float(term(batch))
    matmul = tf.matmul

    def in_tf32(one, other, **settings):
        if one.dtype == tf.float32:
            bits = (tf.bitcast(x, tf.int32) + (1 << 12) for x in (one, other))
            cut = (tf.bitwise.bitwise_and(x, -(1 << 13)) for x in bits)
            one, other = (tf.bitcast(x, tf.float32) for x in cut)
        return matmul(one, other, **settings)

    monkeypatch.setattr(tf, "matmul", in_tf32)
    assert float(term(batch)) == pytest.approx(expected, rel=1e-2)


def test_without_augmentation_the_sequence_itself_is_compared(batch, built, slow_in_batch_info_nce):
    term = built(views="dropout", mitigate_false_negatives=True)
    assert not term.needs_views
    prototypes = slow_prototypes(term, batch.item_ids)
    expected = slow_in_batch_info_nce(batch.own_vectors, prototypes, group_ids=[0, 1, 0])
    assert float(term(dataclasses.replace(batch, view_vectors=()))) == pytest.approx(expected)


@pytest.mark.parametrize("mitigate", [True, False])
def test_users_of_whose_items_nothing_is_known_are_left_out(
    batch, built, slow_in_batch_info_nce, mitigate
):
    term = built(mitigate_false_negatives=mitigate)
    ids = np.array([[0, 3, 6], [6, 1, 0], [4, 4, 4]])
    known = [0, 2]
    prototypes = slow_prototypes(term, ids[known])
    expected = np.mean(
        [slow_in_batch_info_nce(view[known], prototypes) for view in batch.view_vectors]
    )
    assert float(term(dataclasses.replace(batch, item_ids=ids))) == pytest.approx(expected)


@pytest.mark.parametrize("mitigate", [True, False])
def test_a_batch_of_whose_items_nothing_is_known_moves_nothing(batch, built, mitigate):
    term = built(mitigate_false_negatives=mitigate, views="dropout")
    vectors = tf.constant(batch.own_vectors)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        unknown = dataclasses.replace(
            batch, own_vectors=vectors, item_ids=np.array([[6, 6], [0, 1], [2, 0]])
        )
        loss = term(unknown)
    table = term.layer.embedding.embeddings.value
    assert np.isfinite(float(loss))
    for gradient in tape.gradient(loss, [vectors, table]):
        np.testing.assert_allclose(tf.convert_to_tensor(gradient), 0, atol=1e-6)


def test_both_ways_it_is_the_loss_of_two_views_of_which_one_is_the_prototype(batch, built):
    term = built(temperature=0.5, both_ways=True)
    prototypes = term.layer(batch.item_ids)
    assert (np.linalg.norm(prototypes, axis=-1) > 0.9).all()
    losses = [two_view_info_nce(view, prototypes, 0.5) for view in batch.view_vectors]
    assert float(term(batch)) == pytest.approx(np.mean(losses), rel=1e-5)


def test_training_moves_categories_and_views(batch, built):
    term = built(views="dropout")
    vectors = tf.Variable(batch.own_vectors)
    of_batch = dataclasses.replace(batch, own_vectors=vectors.value())
    before = float(term(of_batch))
    optimizer = keras.optimizers.SGD(0.5)
    weights = [keras.Variable(batch.own_vectors), *term.layer.trainable_variables]
    for _ in range(5):
        with tf.GradientTape() as tape:
            loss = term(dataclasses.replace(batch, own_vectors=weights[0].value))
        optimizer.apply(tape.gradient(loss, [one.value for one in weights]), weights)
    assert float(loss) < before - 0.05


def test_several_attributes_are_averaged(batch, built):
    both = Catalogue(4, attributes={"kind": KINDS, "maker": MAKERS})
    term = built(both)
    assert term.attribute_vocabulary_sizes == (5, 4)
    assert float(term(batch)) != pytest.approx(float(built()(batch)), rel=1e-3)


def test_without_attributes_the_option_is_named_in_one_line():
    with pytest.raises(UserError, match=r"^[^\n]*--item-attributes[^\n]*$"):
        AttributeContrast().build(Catalogue(4), dim=4)


def test_is_a_named_term_that_survives_saving(batch, built):
    term = built(weight=0.5, temperature=2.0, normalize=True, views="dropout")
    assert (term.name, term.needs_intents) == ("attribute_contrast", False)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert loaded.get_config() == term.get_config()
    # Keras restores the weights of the layer.
    loaded.layer.set_weights(term.layer.get_weights())
    assert float(loaded(batch)) == float(term(batch))


def test_a_model_saves_the_layer(built, tmp_path):
    """As a model that tracks the layer does it."""
    term = built()
    keras.Sequential([keras.Input((3,), dtype="int32"), term.layer]).save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras").layers[-1]
    for before, after in zip(term.layer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_before_there_is_a_catalogue_it_has_no_layer():
    term = AttributeContrast(0.3)
    assert term.layer is None
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert vars(loaded) == vars(term)
