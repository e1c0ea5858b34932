"""Items that came after the training: ranked, filtered by and taken as history."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import UserError, export_saved_model, recommend
from tf_iclrec.models.transitions import TransitionRecommender
from tf_iclrec.serving.new_items import with_new_items

from .conftest import built, request

NEW = {
    "new 1": {"provider": "brand 3", "category": "4"},
    "new 2": {"category": "7"},
    # Of a provider that the model has never seen.
    "new 3": {"provider": "newcomer", "category": "2"},
}
# Provider encoders of one and of two streams, cosines, several queries, an output table of its own,
# users.
MODELS = ["iclrec", "provider_sum", "ipsrec_c", "sasrec", "dssrec", "caser", "bpr_mf"]
ENSEMBLES = ["iclrec", "ipsrec_c", "bpr_mf"]


def kindred_mean(log, rows, values):
    """Mean of rows ``(items, dim)`` over the known items of a kind, the slow way."""
    means = []
    for name, value in values.items():
        known = log.catalogue.known[name]
        number = known.vocabulary.encode([value])[0]
        same = [row for row in range(log.num_items) if known.of_items[row + 3] == number >= 3]
        if same:
            means.append(rows[same].mean(axis=0))
    return np.mean(means, axis=0)


@pytest.mark.parametrize("name", MODELS)
def test_known_items_score_as_before_and_new_ones_are_there(name, log, split):
    model = built(name, log, num_members=2 if name in ENSEMBLES else 1)
    larger, new_split = with_new_items(model, split, NEW)
    assert new_split.interactions.items.ids[-3:].tolist() == list(NEW)
    assert new_split.training_counts[-3:].tolist() == [0, 0, 0]
    ids = {"item_ids": log.items.encode(log.items.ids[[[4, 9, 30], [1, 2, 3]]].ravel())}
    ids = {"item_ids": ids["item_ids"].reshape(2, 3)}
    before, after = model(ids).numpy(), larger(ids).numpy()
    assert after.shape == (2, log.num_items + 3)
    # A user who is folded in depends on the whole catalogue.
    tolerance = 0.2 if name == "bpr_mf" else 1e-5
    np.testing.assert_allclose(after[:, :-3], before, rtol=tolerance, atol=tolerance)
    # As part of a history they say something, each something else.
    histories = np.array([[5, item] for item in range(log.items.size, log.items.size + 3)])
    scores = larger({"item_ids": histories.astype("int32")}).numpy()
    assert np.isfinite(scores).all()
    if name != "bpr_mf":
        assert np.abs(scores[0] - scores[1]).max() > 1e-3


def test_a_new_items_vector_is_the_mean_of_its_kind(log, split):
    model = built("sasrec", log, num_members=2)
    larger, _ = with_new_items(model, split, NEW)
    for old, new in zip(model.members(), larger.members(), strict=True):
        rows = np.asarray(old.item_vectors())
        expected = [kindred_mean(log, rows, values) for values in NEW.values()]
        np.testing.assert_allclose(new.item_vectors()[-3:], expected, rtol=1e-4, atol=1e-5)


def test_cosines_with_new_items_are_scaled_by_the_root_of_their_means_length(log, split, tmp_path):
    model = built("sasrec", log, num_members=2)
    larger, _ = with_new_items(model, split, NEW)
    expected = []
    for old, new in zip(model.members(), larger.members(), strict=True):
        vectors = np.asarray(new.item_vectors())[-3:]
        lengths = np.linalg.norm(old.item_vectors(), axis=1)
        shares = [
            np.linalg.norm(vector) / kindred_mean(log, lengths, values)
            for vector, values in zip(vectors, NEW.values(), strict=True)
        ]
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        expected.append(units * np.sqrt(shares)[:, None])
        assert (np.array(shares) < 0.9).all()
    expected = np.concatenate(expected, axis=1)
    np.testing.assert_allclose(larger.item_vectors()[-3:], expected, rtol=1e-4)
    new_ids = np.arange(log.items.size, log.items.size + 3)
    np.testing.assert_allclose(larger.item_vectors(new_ids), expected, rtol=1e-4)
    larger.save(tmp_path / "larger.keras")
    again = keras.saving.load_model(tmp_path / "larger.keras")
    np.testing.assert_array_equal(again.item_vectors(), larger.item_vectors())


def test_new_items_stay_as_they_are_when_others_come(log, split):
    model = built("iclrec", log, num_members=2)
    first, first_split = with_new_items(model, split, {"new 1": NEW["new 1"]})
    both, _ = with_new_items(first, first_split, {"new 2": NEW["new 2"]})
    at_once, _ = with_new_items(model, split, {name: NEW[name] for name in ("new 1", "new 2")})
    assert both.num_new_items == 2
    np.testing.assert_allclose(both.item_vectors()[:-1], first.item_vectors(), rtol=1e-6)
    for one, other in zip(both.weights, at_once.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_encoders_add_the_vectors_of_the_new_items_own_values(log, split):
    model = built("provider_sum", log)
    larger, _ = with_new_items(model, split, NEW)
    old, new = model.members()[0], larger.members()[0]
    own = old.item_embedding.embeddings.numpy()[3:]
    tables = {"provider": old.value_embeddings[0], "category": old.value_embeddings[1]}
    for row, values in enumerate(NEW.values(), start=log.num_items):
        expected = kindred_mean(log, own, values)
        for name, table in tables.items():
            # What the model has not seen is unknown to it.
            number = log.catalogue.known[name].vocabulary.encode([values.get(name, "")])
            expected = expected + table.vectors(number)[0].numpy()
        np.testing.assert_allclose(new.item_vectors()[row], expected, rtol=1e-4, atol=1e-5)


def test_they_are_served_filtered_and_read(log, split, tmp_path):
    model = built("iclrec", log)
    larger, new_split = with_new_items(model, split, NEW)
    export_saved_model(larger, new_split, tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1")).signatures
    asked = request([["1", "new 2"], ["5", "3"]], k=3, only=[["provider=newcomer"], ["category=7"]])
    answer = loaded["recommend"](**{name: tf.constant(value) for name, value in asked.items()})
    items = [[item.decode() for item in row] for row in answer["item_ids"].numpy()]
    assert items[0] == ["new 3", "", ""]
    frame = recommend(model, [["5", "3"]], split=split, k=3, only={"category": "7"}, new_items=NEW)
    assert items[1] == frame["item_id"].tolist()
    frame = recommend(model, [["1", "new 2"]], split=split, k=92, new_items=NEW)
    assert {"new 1", "new 3"} < set(frame["item_id"])
    assert "new 2" not in set(frame["item_id"])
    assert not recommend(model, [["new 2"]], split=split, new_items=NEW)["from_popularity"].any()


def test_items_of_no_kind_are_left_out_with_a_line(log, split, capsys):
    model = built("sasrec", log)
    strangers = {"odd": {"provider": "newcomer"}, "bare": {}}
    _, new_split = with_new_items(model, split, {**NEW, **strangers})
    assert new_split.interactions.items.ids[-3:].tolist() == list(NEW)
    assert capsys.readouterr().out == (
        "2 of 5 new items are left out, for no item of the data has the provider of 'odd' or "
        "another of its values.\n"
    )
    with pytest.raises(UserError, match="None of the 2 new items can be added: no item of the"):
        with_new_items(model, split, strangers)


def test_items_that_are_known_stay_as_they_are(log, split):
    model = built("sasrec", log)
    known = {log.items.ids[4]: {"provider": "brand 1"}}
    assert with_new_items(model, split, known) == (model, split)


def test_models_without_vectors_say_so(log, split):
    model = TransitionRecommender(log.num_items)
    with pytest.raises(UserError, match="no vectors of items, and so no place for new ones"):
        with_new_items(model, split, NEW)
