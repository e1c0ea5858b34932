import dataclasses

import numpy as np
import pytest

from tf_iclrec import (
    PopularityRecommender,
    UserError,
    describe_intents,
    leave_one_out,
    recommend,
)
from tf_iclrec.explorer.explorer import Explorer


def ids_of(items):
    return [item["id"] for item in items]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"k": 7, "filter_seen": False},
        {"k": 60},
        {"diversity": 0.5, "diversify": "intents"},
        {"diversity": 1, "diversify": "providers", "only": {"kind": ["3"]}},
        {"diversity": 0.7, "diversify": "similarity"},
        {"only": {"provider": ["brand 1", "brand 2"]}},
        {"only": {"kind": ["3"]}, "without": {"provider": ["brand 1"]}, "exclude": ["13"]},
    ],
    ids=str,
)
def test_answers_are_those_of_recommend(explorer, run, log, asked):
    history, user = log.items.ids[[7, 30, 2]].tolist(), log.users[5]
    for whose, given in (
        ({"history": history}, {"histories": [history]}),
        ({"user": user}, {"user_ids": [user]}),
    ):
        expected = recommend(run, **given, **asked)
        answer = explorer.recommend(**whose, **asked)
        assert ids_of(answer["items"]) == expected["item_id"].tolist()
        # Floats as they are: JSON writes them so that they are read as the same.
        assert [item["score"] for item in answer["items"]] == expected["score"].tolist()
        assert not answer["from_popularity"]


def test_reasons_are_those_of_recommend(explorer, run):
    history = ["7", "12", "23", "40"]
    expected = recommend(run, [history], k=5, because=3)["because"].tolist()
    names = [one.name for one in describe_intents(run).intents]
    answer = explorer.recommend(history=history, k=5, because=3)
    found = [reason for item in answer["items"] for reason in item["because"]]
    assert found == [
        {**reason, "intent_name": None if reason["intent"] is None else names[reason["intent"]]}
        for reasons in expected
        for reason in reasons
    ]
    # All kinds are there, or nothing was tested.
    assert {type(reason["intent"]) for reason in found} == {int, type(None)}
    assert {type(reason["provider"]) for reason in found} == {str, type(None)}


def test_the_history_and_what_is_known_of_its_items(explorer, log):
    start, end = log.offsets[5:7]
    answer = explorer.recommend(user=log.users[5])
    assert ids_of(answer["history"]) == log.items.decode(log.item_ids[start:end]).tolist()
    item = explorer.recommend(history=["12"])["history"][0]
    assert item["title"] == "Tea <b>12</b>"
    assert item["known"] == {"kind": "2", "provider": "brand 2"}
    assert item["count"] == np.sum(log.items.decode(log.item_ids) == "12") - np.sum(
        [log.items.decode(log.item_ids[end - 2 : end]) == "12" for end in log.offsets[1:]]
    )
    untitled = explorer.items(explorer.items.rows_of([log.items.ids[55]]))[0]
    assert (untitled["title"], "provider" in untitled["known"]) == ("", False)


def test_without_a_history_the_items_come_by_popularity(explorer, run):
    answer = explorer.recommend(k=3)
    assert answer["from_popularity"]
    assert not answer["intents"]
    counts = [item["count"] for item in answer["items"]]
    assert counts == sorted(run.split.training_counts, reverse=True)[:3]


@pytest.mark.parametrize("diversity", [0, 0.5])
def test_filters_that_no_item_passes(explorer, diversity):
    """Items of brand 1 end in 1 or 6."""
    filters = {"provider": ["brand 1"], "kind": ["3"]}
    answer = explorer.recommend(history=["7"], only=filters, diversity=diversity, because=2)
    assert answer["items"] == []


def test_what_is_unknown_is_refused(explorer):
    with pytest.raises(UserError, match="Item 'gin' is not in the data"):
        explorer.recommend(history=["gin"])
    with pytest.raises(UserError, match="User 'gin' is not in the data"):
        explorer.recommend(user="gin")
    with pytest.raises(UserError, match="No item of the data has the kind 'x'"):
        explorer.recommend(only={"kind": ["x"]})
    with pytest.raises(UserError, match="'gin' is not in the data"):
        explorer.similar("gin")
    with pytest.raises(UserError, match="no filter by 'kinds': did you mean 'kind'"):
        explorer.find_values("kinds", "")
    with pytest.raises(UserError, match="no intent '4'; there are 4"):
        explorer.intents.card("4")


def test_similar_items_are_those_with_the_largest_cosine(explorer, run):
    vectors = np.asarray(run.model.item_vectors())
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = vectors @ vectors[9] / lengths / lengths[9]
    best = [row for row in np.argsort(-cosines) if row != 9][:20]
    answer = explorer.similar(run.interactions.items.ids[9])
    assert ids_of(answer["items"]) == run.interactions.items.ids[best].tolist()
    found = [item["cosine"] for item in answer["items"]]
    np.testing.assert_allclose(found, cosines[best], rtol=1e-5)


def test_intents_are_those_that_describe_intents_tells(explorer, run):
    intents = describe_intents(run).intents
    overview = explorer.intents.overview()
    assert [one["users"] for one in overview] == sorted((i.users for i in intents), reverse=True)
    for one in overview:
        card = explorer.intents.card(str(one["id"]))
        intent = intents[one["id"]]
        assert card["name"] == one["name"] == intent.name
        assert card["examples"] == intent.examples
        assert [other["name"] for other in card["neighbours"]] == [
            intents[other.id].name for other in intent.neighbours
        ]


def test_the_closest_intents_of_a_history(explorer, run):
    ids = run.interactions.items.encode(["12", "7"])[None]
    affinities = run.model.intents.affinities(run.model.mean_vectors({"item_ids": ids}))[0][0]
    found = explorer.recommend(history=["12", "7"])["intents"]
    assert [one["id"] for one in found] == np.argsort(-affinities.numpy())[:3].tolist()
    np.testing.assert_allclose(found[0]["affinity"], np.max(affinities), rtol=1e-5)


def test_values_and_users_are_found_by_a_part(explorer, log):
    found = explorer.find_values("provider", "RAND 3")
    assert found == [{"id": "brand 3", "count": 10}]
    user = log.users[17]
    assert explorer.find_users(user)[0] == {"id": user, "count": int(log.lengths[17])}
    assert explorer.some_user()["id"] in log.users
    assert ids_of(explorer.find_items("tea <b>1"))[0].startswith("1")


def test_an_empty_column_of_the_items(run, log):
    split = leave_one_out(log.with_item_attribute("color", {log.items.ids[0]: ""}))
    explorer = Explorer(dataclasses.replace(run, split=split))
    assert "color" in explorer.facts()["filters"]
    explorer.warm_up()
    assert explorer.find_values("color", "") == []


def test_a_model_with_neither_intents_nor_item_vectors(run):
    popularity = PopularityRecommender.from_training_data(run.split)
    explorer = Explorer(dataclasses.replace(run, model=popularity))
    facts = explorer.facts()
    assert (facts["intents"], facts["has_similar"], facts["name"]) == (0, False, "iclrec")
    explorer.warm_up()
    assert explorer.recommend(history=["12"])["intents"] == []
    with pytest.raises(UserError, match="no vectors of items"):
        explorer.similar("12")
