"""Lists that are less of the same: each choice against the formulas, from Python and served."""

import dataclasses
import functools

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from tf_iclrec import BatchRecommender, SavedModelRecommender, UserError, recommend
from tf_iclrec.data.histories import Histories
from tf_iclrec.evaluation.lists.calibration import calibration
from tf_iclrec.evaluation.lists.value_diversity import value_diversity
from tf_iclrec.evaluation.lists.vector_diversity import vector_diversity
from tf_iclrec.models.item_facts import item_facts
from tf_iclrec.serving.batch_recommender import encode_lists
from tf_iclrec.serving.reranking.registry import RERANKERS
from tf_iclrec.serving.reranking.reranked_search import RerankedSearch
from tf_iclrec.serving.reranking.reranker import num_candidates
from tf_iclrec.serving.user_table import UserTable

from .conftest import MAX_LENGTH, request
from .test_scoring_models import TableRecommender

K = 8


@pytest.fixture(scope="module")
def recommender(served):
    return BatchRecommender(served.model, served.split)


@pytest.fixture(scope="module")
def saved(served):
    return SavedModelRecommender(served.folder)


@pytest.fixture(scope="module")
def facts(served):
    return item_facts(served.model, served.split)


@pytest.fixture(scope="module")
def histories(served):
    """Of few items each, so that their intents are in some proportion; one that is too long."""
    ids = served.log.items.ids
    rows = [[7, 7, 8], [20, 21, 22, 60], [3], [80, 9, 45, 46, 47, 48], [*range(60)]]
    return [ids[row].tolist() for row in rows]


@pytest.fixture(scope="module")
def ask(recommender):
    """Internal ids and scores ``(users, k)`` of recommendations."""

    def call(histories, k=K, **asked):
        users = pa.table({"user_id": list(map(str, range(len(histories)))), "history": histories})
        found = recommend(recommender, users, k=k, **asked)
        ids = recommender.items.encode(found["item_id"].to_numpy())
        scores = found["score"].to_numpy()
        return ids.reshape(len(histories), -1), scores.reshape(len(histories), -1)

    return call


def searched(recommender, histories, search):
    """Recommendations by a search."""
    users = UserTable.of(histories)
    own, nothing = (
        encode_lists(lists, recommender.items, "ignore")
        for lists in (users.histories, users.exclude)
    )
    return recommender.recommend(users.user_ids, own, K, True, nothing, search)


def divergence(chosen, history, facts, alpha=0.01):
    """``KL(p || q')`` of Steck, Eq. 5-7."""
    intents = facts.values["intent"]
    values = np.unique(intents[3:])
    p = np.array([(intents[history] == value).mean() for value in values])
    q = np.array([(intents[chosen] == value).mean() for value in values])
    q = (1 - alpha) * q + alpha * p
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def slow_gain(way, chosen, item, history, facts):
    if way == "intents":
        return -divergence([*chosen, item], history, facts)
    if way == "providers":
        own = facts.values["provider"]
        return 0.5 ** sum(own[one] == own[item] >= 3 for one in chosen)
    others, own = facts.vectors[np.array(chosen, dtype=int) - 3], facts.vectors[item - 3]
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(own)
    return -max(others @ own / lengths, default=0.0)


@pytest.mark.parametrize("way", list(RERANKERS))
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_at_each_place_stands_the_best(ask, facts, served, histories, way, strength):
    chosen, scores = ask(histories[:-1], k=20, diversity=strength, diversify=way)
    for user, history in enumerate(histories[:-1]):
        candidates, candidate_scores = served.best(history, 89, left_out=history)
        history = served.log.items.encode(history)[-MAX_LENGTH:]
        candidates = served.log.items.encode(candidates)
        score = dict(zip(candidates, candidate_scores, strict=True))
        np.testing.assert_allclose([score[item] for item in chosen[user]], scores[user], 1e-4, 1e-4)
        least, most = min(score.values()), max(score.values())
        for place, item in enumerate(chosen[user]):
            before = chosen[user][:place].tolist()
            values = {
                one: (1 - strength) * (score[one] - least) / (most - least)
                + strength * slow_gain(way, before, one, history, facts)
                for one in candidates
                if one not in before
            }
            assert values[item] > max(values.values()) - 1e-4
    assert len(set(chosen.ravel())) > 1


def test_all_are_candidates_of_a_list_that_is_long(ask, histories):
    """Every unseen item is in the list, in another order."""
    plain, _ = ask(histories[:1], k=87)
    other, _ = ask(histories[:1], k=87, diversity=0.7)
    assert sorted(plain[0]) == sorted(other[0])
    assert plain.tolist() != other.tolist()


@pytest.mark.parametrize("way", list(RERANKERS))
def test_strength_0_is_the_plain_list(recommender, signatures, histories, way):
    plain = recommender.search()
    reranker = recommender.diversified(plain, 1, way).reranker
    lists = [
        searched(recommender, histories, search)
        for search in (plain, RerankedSearch(plain, reranker, 0.0, 89))
    ]
    assert lists[0] == lists[1]
    asked = request(histories[:1], k=K)
    diverse = signatures("recommend_diverse", **asked, diversity=0.0, diversify=way)
    for name, value in signatures("recommend", **asked).items():
        np.testing.assert_array_equal(diverse[name], value)


@pytest.mark.parametrize("way", list(RERANKERS))
def test_lists_are_the_more_diverse_the_stronger(ask, facts, served, way):
    histories = served.random_histories(40, 6)
    own = [served.log.items.encode(history) for history in histories]
    ends = np.cumsum([len(one) for one in own])
    flat = Histories(np.concatenate(own), np.append(0, ends[:-1]), ends)
    measure = {
        "intents": lambda ids: -calibration(ids, flat, facts.values["intent"]),
        "providers": lambda ids: value_diversity(facts.values["provider"][ids]),
        "similarity": lambda ids: vector_diversity(ids, facts.vectors),
    }[way]
    found = [
        measure(ask(histories, diversity=strength, diversify=way)[0]).mean()
        for strength in (0.0, 0.3, 0.6, 1.0)
    ]
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.02


@pytest.mark.parametrize("way", list(RERANKERS))
def test_the_saved_model_gives_pythons_lists(recommender, saved, histories, way):
    names = [str(row) for row in range(6)]
    users = pa.table({"user_id": names, "history": [*histories, ["unknown"]]})
    for asked in ({"diversity": 0.4}, {"diversity": 0.9, "only": {"category": ["1", "2"]}}):
        asked |= {"k": 5, "diversify": way, "because": 1}
        answer, expected = (
            saved.recommend_table(users, **asked),
            recommend(recommender, users, **asked),
        )
        assert answer.drop_columns(["score", "because"]) == expected.drop_columns(
            ["score", "because"]
        )
        np.testing.assert_allclose(answer["score"], expected["score"], rtol=1e-4, atol=1e-4)
        lengths = [[len(one) for one in table["because"]] for table in (answer, expected)]
        assert lengths[0] == lengths[1]


def test_who_is_not_known_gets_the_plain_list_for_intents(ask):
    plain, diverse = ask([["unknown"]]), ask([["unknown"]], diversity=1.0)
    assert plain[0].tolist() == diverse[0].tolist()
    assert plain[0].tolist() != ask([[]], diversity=1.0, diversify="providers")[0].tolist()


@pytest.mark.parametrize("way", list(RERANKERS))
def test_fewer_candidates_than_k_are_all_returned(recommender, histories, way):
    candidates = recommender.items.ids[70:73].tolist()
    search = recommender.search(recommender.encode_items(candidates, 2, "raise"))
    found = searched(recommender, histories[:2], recommender.diversified(search, 0.5, way))
    assert found["rank"].to_pylist() == [1, 2, 3] * 2
    assert set(found["item_id"].to_pylist()) == set(candidates)


def test_batches_of_any_size_give_the_same(ask, histories, monkeypatch):
    whole = ask(histories, diversity=0.5, diversify="similarity")
    monkeypatch.setattr("tf_iclrec.serving.reranking.reranked_search._CANDIDATES", 200)
    parts = ask(histories, diversity=0.5, diversify="similarity")
    np.testing.assert_array_equal(whole[0], parts[0])


@pytest.fixture(scope="module")
def by_table(log, split):
    """Scores without vectors, items without providers."""
    plain = dataclasses.replace(log, providers=None)
    return BatchRecommender(
        TableRecommender(log.num_items), dataclasses.replace(split, interactions=plain)
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"diversity": 1.5}, "diversity must be from 0, for the plain list, to 1, not 1.5"),
        ({"diversity": -0.1}, "diversity must be from 0, for the plain list, to 1, not -0.1"),
        ({"diversity": float("nan")}, "diversity must be from 0, for the plain list, to 1, not n"),
        ({"diversify": "intent"}, "No way to diversify is 'intent': did you mean 'intents'"),
    ],
)
def test_strengths_and_ways_that_there_are_not(recommender, saved, asked, message):
    users = pa.table({"user_id": ["a"], "history": [["1"]]})
    for ask in (saved.recommend_table, functools.partial(recommend, recommender)):
        with pytest.raises(UserError, match=message):
            ask(users, **asked)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("intents", "Lists can't be diversified by intents: the model has no intents"),
        ("providers", "by providers: the items have no providers"),
        ("similarity", "by similarity: the model has no item vectors"),
    ],
)
def test_models_that_lack_what_a_way_needs(by_table, way, message):
    users = pa.table({"user_id": ["a"], "history": [["1"]]})
    with pytest.raises(UserError, match=message) as caught:
        recommend(by_table, users, diversity=0.5, diversify=way)
    assert "\n" not in str(caught.value)


def test_what_is_possible_instead_is_said(log, split):
    recommender = BatchRecommender(TableRecommender(log.num_items), split)
    with pytest.raises(UserError, match=r"no intents. Possible is diversify='providers'\.$"):
        recommender.diversified(None, 0.5, "intents")


def test_bad_requests_to_the_saved_model(signatures):
    for asked, message in [
        ({"diversity": 2.0, "diversify": "intents"}, "diversity must be from 0 to 1, not"),
        ({"diversity": 0.5, "diversify": "items"}, "must be one of intents, providers, simila"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            signatures("recommend_diverse", **request([["1"]]), **asked)


def test_users_are_recommended_to_with_their_own_vectors(served_to_users, log, split):
    """The model has no intents: the first way that it has is by providers."""
    model = served_to_users.model
    signatures = tf.saved_model.load(served_to_users.folder).signatures
    user, history = log.users[5], log.items.decode(log.item_ids[log.offsets[5] : log.offsets[6]])
    inputs = {name: tf.constant(value) for name, value in request([history.tolist()], k=6).items()}
    answer = signatures["recommend_diverse_to_user"](
        user_id=tf.constant([user]),
        diversity=tf.constant(0.6),
        diversify=tf.constant(""),
        **inputs,
    )
    asked = {"split": split, "k": 6, "diversity": 0.6, "diversify": "providers"}
    expected = recommend(model, user_ids=[user], **asked)["item_id"].tolist()
    assert [item.decode() for item in answer["item_ids"].numpy()[0]] == expected
    assert expected != recommend(model, [history.tolist()], **asked)["item_id"].tolist()


@pytest.mark.parametrize(
    ("k", "items", "expected"), [(3, 1000, 100), (20, 1000, 100), (50, 1000, 250), (50, 120, 120)]
)
def test_so_many_of_the_best_are_chosen_from(k, items, expected):
    assert num_candidates(k, items) == int(num_candidates(tf.constant(k), items)) == expected
