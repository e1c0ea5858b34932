"""Reasons: what the slow way of leaving items out one by one gives, from Python and served."""

import functools

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from tf_iclrec import (
    BatchRecommender,
    PopularityRecommender,
    SavedModelRecommender,
    UserError,
    recommend,
)
from tf_iclrec.data.histories import Histories
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.transitions import TransitionRecommender
from tf_iclrec.serving import explainer as explainer_module
from tf_iclrec.serving.new_items import with_new_items

from .conftest import MAX_LENGTH, built
from .test_new_items import NEW

REASON = "list<element: struct<item_id: string, drop: float, intent: int32, provider: string>>"
# Ensembles, several queries, users who are folded in, tables of items by item.
MODELS = ["iclrec", "dssrec", "bpr_mf", "ease", "transitions"]


def model_of(name, split):
    kinds = {"ease": EaseRecommender, "transitions": TransitionRecommender}
    if name not in kinds:
        return built(name, split.interactions, num_members=2 if name == "iclrec" else 1)
    model = kinds[name].for_catalogue(split.catalogue)
    model.fit_histories(split.train)
    return model


def slow_drops(model, history, items, user=-1):
    """For each of some items, by item of the history, how much lower its score is without that."""
    left_out = [None, *sorted(set(history[-MAX_LENGTH:]))]
    histories = [[one for one in history if one != out][-MAX_LENGTH:] for out in left_out]
    width = max(map(len, histories))
    padded = [[0] * (width - len(one)) + one for one in histories]
    users = np.full(len(padded), user, dtype="int32")
    scores = np.asarray(model({"item_ids": np.array(padded, dtype="int32"), "users": users}))
    scores = np.where([[len(one) > 0] for one in histories], scores, 0.0)[:, np.array(items) - 3]
    return [dict(zip(left_out[1:], one, strict=True)) for one in (scores[0] - scores[1:]).T]


def histories_of(lists):
    ends = np.cumsum([len(one) for one in lists])
    return Histories(np.concatenate(lists), ends - [len(one) for one in lists], ends)


def check_reasons(reasons, row, expected):
    """The first reasons for an item are those of the largest drops."""
    strongest = sorted((drop for drop in expected.values() if drop > 1e-4), reverse=True)
    drops = reasons.drops[row]
    np.testing.assert_allclose(drops[: len(strongest)], strongest[: len(drops)], atol=2e-4)
    for item, drop in zip(reasons.item_ids[row], drops, strict=True):
        if drop > 0:
            assert expected[item] == pytest.approx(drop, abs=2e-4)
        else:
            assert item == 0


@pytest.mark.parametrize("name", MODELS)
def test_reasons_are_what_leaving_out_one_by_one_gives(name, log, split):
    model = model_of(name, split)
    random = np.random.default_rng(5)
    # One of a single item, one with repetitions.
    lists = [random.integers(3, log.items.size, size=length) for length in (1, 4, 7)]
    lists[2][4:] = lists[2][1:4]
    item_ids = random.integers(3, log.items.size, size=(3, 2)).astype("int32")
    found = BatchRecommender(model, split).reasons(histories_of(lists), item_ids, most=3)
    some = 0
    for user, history in enumerate(lists):
        for place, expected in enumerate(slow_drops(model, history.tolist(), item_ids[user])):
            check_reasons(found, (user, place), expected)
            some += (found.drops[user, place] > 0).sum()
    assert some > 1


@pytest.fixture(scope="module")
def recommender(served):
    return BatchRecommender(served.model, served.split)


@pytest.fixture(scope="module")
def ask(recommender):
    """A frame of recommendations for histories, from the model at hand."""

    def call(histories, **asked):
        names = [str(row) for row in range(len(histories))]
        users = pa.table({"user_id": names, "history": histories})
        return recommend(recommender, users, **asked).to_pandas()

    return call


def test_an_older_item_takes_the_place_of_one_that_is_left_out(served, recommender, log):
    random = np.random.default_rng(0)
    # Longer than the model reads, every item several times.
    history = np.concatenate([random.permutation(np.arange(3, 15)) for _ in range(7)])
    assert len(history) > MAX_LENGTH + 12
    older = np.concatenate([[80, 81, 82], history[-MAX_LENGTH:]])
    lists, items = [history, older], [60, 61]
    found = recommender.reasons(histories_of(lists), np.array([items, items]), most=60)
    for user, one in enumerate(lists):
        for place, expected in enumerate(slow_drops(served.model, one.tolist(), items)):
            check_reasons(found, (user, place), expected)
    # What is not read is no reason.
    assert not set(found.item_ids[1].ravel()) & {80, 81, 82}


def test_what_is_named_first_lowers_the_score_most(served, ask):
    """By nothing but plain calls."""
    histories = served.random_histories(8, 6)
    best = ask(histories, k=3, because=1)
    assert (best["because"].map(len) == 1).all()
    without, candidates = [], []
    for user, item in zip(best["user_id"], best["item_id"], strict=True):
        history = histories[int(user)]
        without += [[item for item in history if item != out] for out in history]
        candidates += [[item]] * len(history)
    frame = recommend(
        served.model,
        without,
        split=served.split,
        k=1,
        candidates=candidates,
        filter_seen=False,
    )
    drops = best["score"].to_numpy()[:, None] - frame["score"].to_numpy().reshape(-1, 6)
    for row, user in enumerate(best["user_id"]):
        (reason,) = best["because"][row]
        assert histories[int(user)][drops[row].argmax()] == reason["item_id"]
        assert reason["drop"] == pytest.approx(drops[row].max(), abs=1e-4)


def test_intents_and_providers_connect_items_that_have_the_same(ask, signatures, log):
    histories = [log.items.ids[start : start + 8].tolist() for start in range(0, 80, 8)]
    found = ask(histories, k=10, because=5)
    # A history of one item each.
    intents = signatures("encode", history=log.items.ids[:, None].astype(str))["intent"]
    intent_of = dict(zip(log.items.ids, intents, strict=True))
    brands = log.providers.of_items[3:]
    brand_of = {
        item: log.providers.vocabulary.ids[brand - 3] if brand >= 3 else None
        for item, brand in zip(log.items.ids, brands, strict=True)
    }
    seen = {"intent": set(), "provider": set()}
    for item, reasons in zip(found["item_id"], found["because"], strict=True):
        for reason in reasons:
            for name, of_item in (("intent", intent_of), ("provider", brand_of)):
                own = of_item[item]
                assert reason[name] == (own if of_item[reason["item_id"]] == own else None)
                seen[name].add(reason[name] is None)
    assert seen == {"intent": {True, False}, "provider": {True, False}}


def test_users_of_whom_nothing_is_known_have_no_reasons(ask, log):
    found = ask([["unknown"], [log.items.ids[4]]], k=2, because=2)
    assert found["because"].map(len).tolist() == [0, 0, 1, 1]
    # Of a single item the whole score.
    alone = found[found["user_id"] == "1"]
    drops = [reasons[0]["drop"] for reasons in alone["because"]]
    np.testing.assert_allclose(drops, alone["score"], rtol=1e-5)


def test_a_model_that_does_not_listen_to_the_history_has_no_reasons(log, split):
    model = PopularityRecommender.from_training_data(split)
    found = recommend(model, [log.items.ids[:1].tolist()] * 2, split=split, k=3, because=2)
    assert found["because"].map(len).tolist() == [0] * 6
    # One that knows the user answers from the user's own vector.
    model = built("bpr_mf", log)
    user, history = log.users[5], log.items.decode(log.item_ids[log.offsets[5] : log.offsets[6]])
    for asked, count in [({"user_ids": [user]}, 0), ({"histories": [history.tolist()]}, 2)]:
        found = recommend(model, split=split, k=3, because=2, **asked)
        assert found["because"].map(len).tolist() == [count] * 3


def test_new_items_have_reasons_and_are_some(log, split):
    model, split = with_new_items(built("iclrec", log), split, NEW)
    history = [*log.items.ids[:4], "new 1"]
    found = recommend(
        model,
        [history],
        split=split,
        k=2,
        because=5,
        candidates=["new 2", log.items.ids[70]],
    )
    encode = split.interactions.items.encode
    slow = slow_drops(model, encode(history).tolist(), encode(found["item_id"]))
    for expected, reasons in zip(slow, found["because"], strict=True):
        expected = {one: drop for one, drop in expected.items() if drop > 1e-4}
        named = encode([reason["item_id"] for reason in reasons]).tolist()
        assert named == sorted(expected, key=expected.get, reverse=True)
    everything = [reason["item_id"] for reasons in found["because"] for reason in reasons]
    assert "new 1" in everything


def test_batches_of_any_size_give_the_same(served, ask, recommender, log, monkeypatch):
    histories = [log.items.ids[start : start + start % 9].tolist() for start in range(30)]
    whole = ask(histories, k=4, because=3)
    monkeypatch.setattr(explainer_module, "_BYTES", 1 << 16)
    monkeypatch.setattr("tf_iclrec.serving.batch_recommender._EXPLAINED", 7)
    small = explainer_module.Explainer(recommender.ranker, recommender.catalogue)
    monkeypatch.setattr(recommender, "explainer", small)
    parts = ask(histories, k=4, because=3)
    for one, other in zip(whole["because"], parts["because"], strict=True):
        drops = [[reason["drop"] for reason in reasons] for reasons in (one, other)]
        np.testing.assert_allclose(*drops, atol=1e-4)
        assert [reason["item_id"] for reason in one] == [reason["item_id"] for reason in other]


def test_nothing_is_computed_for_reasons_that_nobody_asks_for(served):
    fresh = BatchRecommender(served.model, served.split)
    users = pa.table({"user_id": ["a"], "history": [["1", "2"]]})
    assert recommend(fresh, users, k=2).column_names[-1] == "from_popularity"
    assert "explainer" not in vars(fresh)


@pytest.fixture(scope="module")
def users(served):
    histories = [served.random_histories(1, 1 + 7 * row % 40)[0] for row in range(12)]
    histories += [["unknown"], [], None, served.random_histories(1, 70)[0]]
    return pa.table({"user_id": [f"user {row}" for row in range(16)], "history": histories})


@pytest.fixture(scope="module")
def saved(served):
    return SavedModelRecommender(served.folder)


@pytest.mark.parametrize("rows", [1, 16])
def test_the_saved_model_gives_pythons_reasons(saved, recommender, users, rows):
    asked = {"k": 4, "because": 3, "without": {"provider": "brand 2"}}
    answer = saved.recommend_table(users.slice(0, rows), **asked)
    expected = recommend(recommender, users.slice(0, rows), **asked)
    assert answer.schema == expected.schema
    assert str(answer.schema.field("because").type).replace("item:", "element:") == REASON
    assert answer["item_id"].to_pylist() == expected["item_id"].to_pylist()
    for one, other in zip(
        answer["because"].to_pylist(), expected["because"].to_pylist(), strict=True
    ):
        drops = [[reason.pop("drop") for reason in reasons] for reasons in (one, other)]
        np.testing.assert_allclose(*drops, atol=1e-4)
        assert one == other


def test_users_are_explained_with_their_own_vectors(served_to_users, log):
    """Who has one is answered from it, and from no history."""
    model = served_to_users.model
    explain = tf.saved_model.load(served_to_users.folder).signatures["explain_to_user"]
    history = log.items.ids[[7, 30, 12, 50]]
    answer = explain(
        user_id=tf.constant([log.users[9], "nobody"]),
        history=tf.constant([history, history]),
        item_ids=tf.constant([[log.items.ids[2], "unknown"]] * 2),
        because=tf.constant(4),
    )
    (expected,) = slow_drops(model, log.items.encode(history).tolist(), [5])
    positive = sorted((drop for drop in expected.values() if drop > 0), reverse=True)
    of_user, of_stranger = answer["drops"].numpy()[:, 0]
    assert not of_user.any()
    np.testing.assert_allclose(of_stranger[of_stranger > 0], positive, atol=1e-4)
    assert len(positive)
    assert (answer["reasons"].numpy()[:, 1] == b"").all()


@pytest.mark.parametrize(
    ("users", "length", "items"), [(0, 0, 0), (0, 3, 2), (2, 0, 0), (2, 3, 0), (2, 0, 2)]
)
def test_nothing_to_explain_or_to_explain_by(signatures, users, length, items):
    answer = signatures(
        "explain",
        history=np.full((users, length), "1"),
        item_ids=np.full((users, items), "2"),
        because=3,
    )
    assert answer["reasons"].shape == answer["drops"].shape == (users, items, 3)
    assert length or not answer["drops"].any()


@pytest.mark.parametrize("because", [0, 41])
def test_numbers_of_reasons_that_are_refused(signatures, because):
    with pytest.raises(tf.errors.InvalidArgumentError, match="because must be from 1 to 40, not"):
        signatures("explain", history=[["1"]], item_ids=[["2"]], because=because)


@pytest.mark.parametrize("because", [-1, 1001, 10**12])
def test_impossible_numbers_of_reasons_are_refused(saved, recommender, users, because):
    for ask in (saved.recommend_table, functools.partial(recommend, recommender)):
        with pytest.raises(UserError) as refused:
            ask(users, because=because)
        assert str(refused.value) == (
            f"because must be 0, for no reasons, or how many, at most 1000, not {because}."
        )


def test_more_reasons_than_items_take_no_more_memory(saved, recommender, log):
    lists = [np.arange(3, 8), np.arange(3, 3)]
    found = recommender.reasons(histories_of(lists), np.array([[60], [61]]), most=1000)
    assert found.drops.shape == (2, 1, 5)
    few = pa.table({"user_id": ["a", "b"], "history": [log.items.ids[:5].tolist(), ["unknown"]]})
    all_of_them = saved.recommend_table(few, k=2, because=40)
    expected = saved.recommend_table(few, k=2, because=5)
    assert all_of_them["because"].to_pylist() == expected["because"].to_pylist()
    assert max(map(len, all_of_them["because"].to_pylist())) > 1


def test_an_older_saved_model_says_that_it_has_no_reasons(saved, users, monkeypatch):
    signatures = {"recommend": saved._loaded.signatures["recommend"]}
    monkeypatch.setattr(saved._loaded, "signatures", signatures)
    assert saved.recommend_table(users, k=2).num_rows > 0
    with pytest.raises(UserError, match="no signature explain: its model can't, or export it"):
        saved.recommend_table(users, k=2, because=1)
