"""Filters against the slow way: score all items, look at each, sort what is left."""

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Catalogue, Interactions, UserError, export_saved_model, recommend
from tf_iclrec.serving.item_filters import ItemFilters, allowed_items

from .conftest import Served, built, request

# What requests ask for: `only` and `without`.
CASES = {
    "one of several": ({"category": ["1", "2"]}, {}),
    "two attributes": ({"category": ["1", "2", "3"], "provider": ["brand 1", "brand 4"]}, {}),
    "without": ({}, {"provider": ["brand 1"], "category": ["5"]}),
    "both": ({"category": ["1", "2", "3", "4"]}, {"provider": ["brand 3"]}),
    "an unknown value": ({"category": ["no such"]}, {"provider": ["no such"]}),
    "an unknown value beside": ({"category": ["no such", "7"]}, {}),
    "nothing": ({}, {}),
}


def is_allowed(log, item, only, without):
    """Of one item, by its raw values; '' is unknown."""

    def value(name):
        known = {"provider": log.providers, **log.attributes}[name]
        internal = known.of_items[log.items.encode([item])[0]]
        return str(known.vocabulary.decode([internal])[0]) if internal >= 3 else ""

    return all(value(name) in values for name, values in only.items()) and not any(
        value(name) in values for name, values in without.items()
    )


def left_out(log, only, without):
    return [item for item in log.items.ids if not is_allowed(log, item, only, without)]


def cells(values, width):
    row = [f"{name}={value}" for name, some in values.items() for value in some]
    return row + [""] * (width - len(row))


@pytest.mark.parametrize("k", [3, 40])
@pytest.mark.parametrize("filter_seen", [True, False])
def test_a_batch_of_filters_is_ranked_as_all_items_masked(served, signatures, filter_seen, k):
    histories = [*served.random_histories(len(CASES) - 1, 20), [""] * 20]
    exclude = [served.best(history, 2)[0] for history in histories]
    only, without = ([cells(case[part], 6) for case in CASES.values()] for part in (0, 1))
    asked = request(histories, k, exclude, filter_seen, only, without)
    answer = signatures("recommend", **asked)
    for row, case in enumerate(CASES.values()):
        out = [*exclude[row], *left_out(served.log, *case)]
        out += histories[row] if filter_seen else []
        ids, scores = served.best([item for item in histories[row] if item], k, out)
        padding = k - len(ids)
        wanted = [item.encode() for item in ids] + [b""] * padding
        assert answer["item_ids"][row].tolist() == wanted
        scores = [*scores, *[-np.inf] * padding]
        np.testing.assert_allclose(answer["scores"][row], scores, rtol=1e-4, atol=1e-4)
    assert answer["from_popularity"].tolist() == [False] * (len(CASES) - 1) + [True]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("candidates", ["all", "some", "per user"])
def test_python_gives_the_same(served, case, candidates):
    histories = served.random_histories(2, 12)
    ids = served.log.items.ids
    listed = {"all": [ids, ids], "some": [ids[:60]] * 2, "per user": [ids[:60], ids[20:]]}
    listed = [list(some) for some in listed[candidates]]
    given = {"all": None, "some": listed[0], "per user": listed}[candidates]
    frame = recommend(
        served.model,
        histories,
        split=served.split,
        k=9,
        exclude=ids[:3],
        candidates=given,
        only=case[0],
        without=case[1],
    )
    for user, history in enumerate(histories):
        others = [item for item in ids if item not in listed[user]]
        out = [*history, *ids[:3], *others, *left_out(served.log, *case)]
        wanted, scores = served.best(history, 9, out)
        rows = frame[frame["user_id"] == user]
        assert rows["item_id"].tolist() == wanted
        np.testing.assert_allclose(rows["score"], scores, rtol=1e-4, atol=1e-4)


def test_models_whose_scores_are_no_dot_products_are_filtered(log, split, tmp_path):
    model = built("dssrec", log)
    served = Served(model, split, str(tmp_path / "1"))
    export_saved_model(model, split, served.folder)
    loaded = tf.saved_model.load(served.folder).signatures["recommend"]
    histories, case = served.random_histories(2, 8), CASES["both"]
    only, without = ([cells(values, 5)] * 2 for values in case)
    asked = request(histories, 6, only=only, without=without)
    answer = loaded(**{name: tf.constant(value) for name, value in asked.items()})
    frame = recommend(model, histories, split=split, k=6, only=case[0], without=case[1])
    for row, history in enumerate(histories):
        wanted, _ = served.best(history, 6, [*history, *left_out(log, *case)])
        assert [item.decode() for item in answer["item_ids"].numpy()[row]] == wanted
        assert frame[frame["user_id"] == row]["item_id"].tolist() == wanted


@pytest.mark.parametrize("nothing", [np.zeros((2, 0), dtype="S1"), [[""]]])
def test_a_width_of_nothing_or_a_single_empty_cell_is_no_filter(served, signatures, nothing):
    histories = served.random_histories(2, 8)
    plain = signatures("recommend", **request(histories))
    empty = signatures("recommend", **request(histories, only=nothing, without=nothing))
    np.testing.assert_array_equal(plain["item_ids"], empty["item_ids"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="only must have one row for each"):
        signatures("recommend", **request(histories, only=[["category=1"]]))


@pytest.mark.parametrize("where", ["only", "without"])
def test_an_unknown_name_is_an_error_that_names_those_there_are(served, signatures, where):
    asked = request([["1"]], **{where: [["category=1", "color=red"]]})
    with pytest.raises(tf.errors.InvalidArgumentError, match="of: category, provider") as caught:
        signatures("recommend", **asked)
    assert "color=red" in caught.value.message
    assert "category=1" not in caught.value.message
    with pytest.raises(UserError, match="told by 'color': what is known of them is category, prov"):
        recommend(served.model, [["1"]], split=served.split, **{where: {"color": ["red"]}})


def test_an_unknown_value_is_an_error_where_it_must_exist(served):
    arguments = {"split": served.split, "only": {"category": "no such"}}
    assert len(recommend(served.model, [["1"]], **arguments)) == 0
    with pytest.raises(UserError, match="No item of the data has the category 'no such'"):
        recommend(served.model, [["1"]], on_unknown="raise", **arguments)


def test_without_anything_known_of_the_items_there_is_nothing_to_filter_by():
    filters = ItemFilters(Catalogue(num_items=4))
    assert filters(tf.constant([[""]]), tf.zeros((1, 0), tf.string)).numpy().all()
    with pytest.raises(UserError, match="what is known of them is nothing"):
        allowed_items(Catalogue(num_items=4), {"provider": ["acme"]}, None)


def test_values_may_be_numbers_and_none_is_none():
    log = Interactions.from_sequences({"ann": ["jam", "oil", "tea"]})
    log = log.with_item_label("year", {"tea": "1999", "jam": "2000"})
    expected = [False, False, True]
    for year in (1999, np.int64(1999), [1999], {"1999"}, np.array([1999])):
        assert allowed_items(log.catalogue, {"year": year}, None).tolist() == expected
    with pytest.raises(UserError, match="'year' has no value: None"):
        allowed_items(log.catalogue, {"year": None}, None)


def test_labels_are_filters_and_titles_are_not():
    log = Interactions.from_sequences({"ann": ["jam", "oil", "tea"]})
    log = log.with_item_label("color", {"tea": "green", "jam": "red"})
    log = log.with_item_label("title", {"tea": "Green tea"})
    assert allowed_items(log.catalogue, {"color": ["red"]}, None).tolist() == [True, False, False]
    assert allowed_items(log.catalogue, None, {"color": ["red"]}).tolist() == [False, True, True]
    filters = ItemFilters(log.catalogue)
    only, without = tf.constant([["color=green"]]), tf.constant([[""]])
    assert filters(only, without).numpy().tolist() == [[False, False, True]]
    with pytest.raises(UserError, match="what is known of them is color"):
        allowed_items(log.catalogue, {"title": ["Green tea"]}, None)
