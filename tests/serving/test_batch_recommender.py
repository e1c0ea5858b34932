import numpy as np
import pytest

from tf_iclrec import BatchRecommender, Interactions, UserError, make_config, recommend
from tf_iclrec.data.vocabulary import Vocabulary
from tf_iclrec.runs import Run
from tf_iclrec.serving import batch_recommender
from tf_iclrec.serving.batch_recommender import encode_lists
from tf_iclrec.serving.searches import Asked
from tf_iclrec.serving.user_table import raw_lists


@pytest.fixture(scope="module")
def ask(served):
    """`recommend` with the model at hand: item ids and scores of each user."""

    def call(*args, **kwargs):
        frame = recommend(served.model, *args, split=served.split, **kwargs)
        assert frame["rank"].tolist() == (frame.groupby("user_id").cumcount() + 1).tolist()
        return {
            user: (rows["item_id"].tolist(), rows["score"].to_numpy())
            for user, rows in frame.groupby("user_id", sort=False)
        }

    return call


def assert_same(answer, expected):
    assert answer[0] == expected[0]
    np.testing.assert_allclose(answer[1], expected[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", [1, 50, 500])
@pytest.mark.parametrize("num_users", [1, 64])
def test_histories_get_the_python_models_best(served, ask, num_users, length):
    histories = served.random_histories(num_users, length)
    answers = ask(histories, k=6)
    for user, history in enumerate(histories):
        expected = served.best(history, 6, left_out=history)
        if expected[0]:
            assert_same(answers[user], expected)
        else:
            assert user not in answers


def test_users_of_the_log_with_all_their_items(served, ask):
    """Also those held out for validation and test: the question is what comes after."""
    users = served.log.users[[7, 3]].tolist()
    answers = ask(user_ids=users, k=4)
    assert list(answers) == users
    for user, row in zip(users, [7, 3], strict=True):
        start, end = served.log.offsets[row : row + 2]
        history = served.log.items.decode(served.log.item_ids[start:end]).tolist()
        assert_same(answers[user], served.best(history, 4, left_out=history))


def test_histories_can_be_named(served, ask):
    histories = dict(zip(["ann", "bob"], served.random_histories(2, 5), strict=True))
    answers = ask(histories, k=3)
    for name, history in histories.items():
        assert_same(answers[name], served.best(history, 3, left_out=history))


def test_seen_items_can_stay(served, ask):
    (history,) = served.random_histories(1, 30)
    assert_same(ask([history], k=50, filter_seen=False)[0], served.best(history, 50))


def test_what_is_excluded_is_not_returned(served, ask):
    histories = served.random_histories(2, 5)
    best = [served.best(history, 4)[0] for history in histories]
    for_all = ask(histories, k=5, exclude=best[0], filter_seen=False)
    per_user = ask(histories, k=5, exclude=[best[1][:1], best[0]], filter_seen=False)
    for user, history in enumerate(histories):
        assert_same(for_all[user], served.best(history, 5, left_out=best[0]))
        own = [best[1][:1], best[0]][user]
        assert_same(per_user[user], served.best(history, 5, left_out=own))


def test_candidates_alone_are_returned(served, ask):
    histories = served.random_histories(2, 12)
    ids = served.log.items.ids
    # Some of them seen, excluded, repeated or unknown.
    lists = [[*ids[:30], *ids[:3], "unknown"], [*ids[40:60], histories[1][0]]]
    out = ids[5:8].tolist()
    for_all = ask(histories, k=8, candidates=lists[0], exclude=out)
    per_user = ask(histories, k=8, candidates=lists, exclude=out)
    for user, history in enumerate(histories):
        for answers, candidates in [(for_all, lists[0]), (per_user, lists[user])]:
            others = [item for item in ids if item not in candidates]
            assert_same(answers[user], served.best(history, 8, [*history, *out, *others]))


def test_what_is_excluded_for_all_is_not_copied_to_each_user(served, monkeypatch):
    """A list of much of the catalogue, among all items and among candidates for all or each."""
    ids, histories, asked = served.log.items.ids, served.random_histories(2, 5), []
    monkeypatch.setattr(
        batch_recommender, "Asked", lambda *given: asked.append(Asked(*given)) or asked[-1]
    )
    for candidates in (None, ids[40:80], [ids[40:80], ids[45:]]):
        settings = {"split": served.split, "k": 9, "candidates": candidates}
        found = [
            recommend(served.model, histories, exclude=out, **settings)
            for out in (ids[:60], [ids[:60], ids[:60]])
        ]
        assert found[0].equals(found[1])
        assert not set(found[0]["item_id"]) & set(ids[:60])
    assert [one.excluded.shape[1] <= 5 for one in asked] == [True, False] * 3


def test_fewer_candidates_than_k_give_fewer_rows(served, ask):
    (history,) = served.random_histories(1, 5)
    others = [item for item in served.log.items.ids if item not in history][:3]
    assert sorted(ask([history], k=20, candidates=others)[0][0]) == sorted(others)


def test_strangers_get_what_is_popular(served, ask):
    popular = served.best([], 5)
    for answers in (ask([[], ["unknown"]], k=5), ask(user_ids=["nobody", "no one"], k=5)):
        for answer in answers.values():
            assert_same(answer, popular)
    frame = recommend(
        served.model, [["unknown"], [served.log.items.ids[0]]], split=served.split, k=1
    )
    assert frame["from_popularity"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"histories": [["unknown"]], "on_unknown": "raise"}, "Item 'unknown' is not in"),
        ({"user_ids": ["nobody"], "on_unknown": "raise"}, "User 'nobody' is not in"),
        ({"histories": [["1"]], "exclude": ["unknown"], "on_unknown": "raise"}, "Item 'unknown'"),
        ({"histories": [["1"]], "candidates": ["unknown"]}, "None of the candidates"),
        ({"histories": [["1"]], "candidates": []}, "None of the candidates"),
        ({"histories": [["1"]], "k": 0}, "k must be from 1 to 89, the number of items, not 0"),
        ({"histories": [["1"]], "k": 90}, "k must be from 1 to 89"),
        ({"histories": [["1"]], "exclude": [["1"], ["2"]]}, "1 users and 2 lists"),
        ({}, "either histories or user_ids"),
        ({"histories": [["1"]], "user_ids": ["1"]}, "either histories or user_ids"),
        ({"histories": ["12", "7"]}, r"as a list for each user, \[\[...\]\], and '12' is none"),
        ({"histories": {"ann": "12"}}, "'12' is none"),
        ({"histories": [1, 2]}, "a list for each user, .* and 1 is none"),
        ({"histories": [["1"], None]}, "a list for each user, .* and None is none"),
        ({"histories": [["1"]], "k": True}, "k must be from 1 to 89, the number of items, not Tru"),
        ({"histories": [["1"]], "because": True}, "because must be 0, for no reasons"),
        ({"histories": [["1"]], "diversity": "0.1"}, "diversity must be from 0"),
        ({"histories": [["1"]], "on_unknown": "error"}, "'ignore' or 'raise', not 'error'"),
        ({"histories": {"ann": ["1"]}, "exclude": {"ann": ["2"]}}, r"or a list per user in their"),
        ({"histories": {"ann": ["1"]}, "candidates": {"ann": ["2"]}}, r"not \{'ann': \['2'\]\}"),
        ({"user_ids": "12"}, r"user_ids is a list, \['12'\], not '12'"),
    ],
)
def test_bad_requests_say_what_is_wrong(served, kwargs, message):
    with pytest.raises(UserError, match=message):
        recommend(served.model, split=served.split, **kwargs)


def test_a_single_item_can_be_excluded(ask):
    best, second = ask([["1"]], k=2)[0][0]
    assert ask([["1"]], k=1, exclude=best)[0][0] == [second]


def test_whole_numbers_have_no_decimal_point(served, ask):
    """As in logs: pandas makes floats of integers with a hole."""
    history = served.random_histories(1, 5)[0]
    numbers = [float(item) for item in history if item.isdecimal()]
    text = [str(int(number)) for number in numbers]
    assert ask([numbers], k=4)[0][0] == ask([text], k=4)[0][0]
    best = ask([text], k=1)[0][0]
    assert ask([text], k=4, exclude=[float(best[0])])[0][0] == ask([text], k=4, exclude=best)[0][0]
    recommender = BatchRecommender(served.model, served.split)
    users = served.log.users[:3]
    assert recommender.knows([float(user) for user in users]).all()


def test_a_model_alone_is_not_enough(served):
    with pytest.raises(UserError, match="give its split"):
        recommend(served.model, [["1"]])


def test_what_would_be_ignored_is_refused(served):
    log, new = served.log, {"fresh": {"category": "1"}}
    recommender = BatchRecommender(served.model, served.split)
    whose = "A BatchRecommender does not take {}: give them to the one that it is made of."
    for given, names in (
        ({"new_items": new}, "new_items"),
        ({"split": served.split, "new_items": new}, "split, new_items"),
    ):
        with pytest.raises(UserError) as refused:
            recommend(recommender, [log.items.ids[:2].tolist()], **given)
        assert str(refused.value) == whose.format(names)
    for run in ("runs/shop", Run(served.model, served.split, make_config(), {})):
        with pytest.raises(UserError, match=r"A run does not take split: it has its own\."):
            recommend(run, [["1"]], split=served.split)


def test_the_histories_of_the_log_are_no_copy(served):
    """They may lie on the disk, and be larger than the memory."""
    recommender = BatchRecommender(served.model, served.split)
    assert recommender._histories.item_ids is served.log.item_ids


def test_histories_of_a_newer_log(served):
    newer = Interactions.from_sequences({"eve": ["5", "unheard-of", "7"], "1": ["9"]})
    recommender = BatchRecommender(served.model, served.split, newer)
    histories = recommender.histories_of(["1", "eve", "zoe"])
    items = served.log.items.encode(["9", "5", "7"])
    assert histories.item_ids.tolist() == items.tolist()
    assert histories.lengths.tolist() == [1, 2, 0]


def test_large_catalogues_take_smaller_batches(served, monkeypatch):
    histories = served.random_histories(50, 8)
    whole = recommend(served.model, histories, split=served.split)
    monkeypatch.setattr("tf_iclrec.data.batches._MAX_SCORES", 3 * 89)
    in_threes = recommend(served.model, histories, split=served.split)
    assert whole["item_id"].tolist() == in_threes["item_id"].tolist()
    np.testing.assert_allclose(whole["score"], in_threes["score"], rtol=1e-4, atol=1e-5)


def test_lists_are_encoded_without_strangers():
    lists = [["a", "x"], [], ["x", "x"], ["b", "a"]]
    encoded = encode_lists(raw_lists(lists), Vocabulary(["a", "b"]), "ignore")
    assert encoded.item_ids.tolist() == [3, 4, 3]
    assert encoded.starts.tolist() == [0, 1, 1, 1]
    assert encoded.ends.tolist() == [1, 1, 1, 3]
