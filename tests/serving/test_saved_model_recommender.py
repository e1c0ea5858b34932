"""Tables of users in, tables of recommendations out: from a run and from the SavedModel alone."""

import numpy as np
import pyarrow as pa
import pytest

from tf_iclrec import (
    BatchRecommender,
    PopularityRecommender,
    SavedModelRecommender,
    UserError,
    export_saved_model,
    recommend,
    recommend_batches,
)
from tf_iclrec.serving import saved_model_recommender


@pytest.fixture(scope="module")
def saved(served):
    return SavedModelRecommender(served.folder)


@pytest.fixture(scope="module")
def recommender(served):
    return BatchRecommender(served.model, served.split)


@pytest.fixture(scope="module")
def users(served):
    """Histories of all lengths in no order, one of nothing known, one missing."""
    histories = [served.random_histories(1, 1 + 7 * row % 40)[0] for row in range(30)]
    histories += [["unknown"], [], None]
    exclude = [served.log.items.ids[row : row + row % 4].tolist() for row in range(33)]
    names = [f"user {row}" for row in range(33)]
    return pa.table({"user_id": names, "history": histories, "exclude": exclude})


def assert_same(answer, expected):
    assert answer.schema == expected.schema
    for name in ("user_id", "item_id", "rank", "from_popularity"):
        assert answer[name].to_pylist() == expected[name].to_pylist()
    np.testing.assert_allclose(answer["score"], expected["score"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"k": 3, "filter_seen": False},
        {"only": {"category": ["1", "2"]}, "without": {"provider": "brand 1"}, "k": 20},
    ],
)
def test_a_saved_model_gives_what_the_run_gives(saved, recommender, users, asked, monkeypatch):
    monkeypatch.setattr(saved_model_recommender, "_USERS", 7)
    assert_same(saved.recommend_table(users, **asked), recommend(recommender, users, **asked))


def test_a_folder_and_a_model_are_made_recommenders_of(served, saved, users):
    asked = {"only": {"category": ["1", "2"]}, "without": {"provider": "brand 1"}, "k": 20}
    answer = saved.recommend_table(users, **asked)
    assert_same(answer, recommend(served.folder, users, **asked))
    assert_same(answer, recommend(served.model, users, split=served.split, **asked))


def test_a_table_gives_what_lists_give(served, recommender, users):
    """The oracle of lists is in the tests of `recommend`."""
    lists = [history or [] for history in users["history"].to_pylist()]
    frame = recommend(recommender, lists, k=6, exclude=users["exclude"].to_pylist())
    table = recommend(recommender, users, k=6)
    assert table["item_id"].to_pylist() == frame["item_id"].tolist()
    names = users["user_id"].to_pylist()
    assert table["user_id"].to_pylist() == [names[row] for row in frame["user_id"]]
    again = recommend(served.folder, lists, k=6, exclude=users["exclude"].to_pylist())
    assert again["item_id"].tolist() == frame["item_id"].tolist()
    assert again["user_id"].tolist() == frame["user_id"].tolist()


def test_numbers_of_numpy_and_a_record_batch(served, users):
    expected = recommend(served.folder, users, k=2, because=1)
    [batch] = users.combine_chunks().to_batches()
    found = recommend(served.folder, batch, k=np.int64(2), because=np.int64(1))
    assert_same(found, expected)


def test_items_can_be_excluded_for_all_users_of_a_table(served, recommender, users):
    table = users.drop_columns("exclude")
    out = served.log.items.ids[:20].tolist()
    found = recommend(served.folder, table, exclude=out)
    assert not set(found["item_id"].to_pylist()) & set(out)
    assert_same(found, recommend(recommender, table, exclude=out))


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_said_is_as_the_model_was_exported(served, tmp_path, kept):
    model = PopularityRecommender.from_training_data(served.split)
    export_saved_model(model, served.split, tmp_path / "1", filter_seen=not kept)
    popular = recommend(tmp_path / "1", [[]], k=1)["item_id"].tolist()
    again = recommend(tmp_path / "1", [popular], k=1)["item_id"].tolist()
    assert (again == popular) == kept
    assert (
        recommend(tmp_path / "1", [popular], k=1, filter_seen=False)["item_id"].tolist() == popular
    )


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_item_is_no_item(served, recommender, missing):
    for one in (served.folder, recommender):
        with pytest.raises(UserError, match=f"An id is missing: {missing} stands in its place"):
            recommend(one, [["1", missing]])
        assert len(recommend(one, [["1"]], k=2, exclude=None)) == 2


@pytest.mark.parametrize("no", [False, np.False_, 0])
def test_seen_items_stay_whatever_says_no(served, recommender, no):
    (history,) = served.random_histories(1, 30)
    answers = [
        recommend(one, [history], k=40, filter_seen=no) for one in (served.folder, recommender)
    ]
    assert set(history) & set(answers[0]["item_id"])
    assert answers[0]["item_id"].tolist() == answers[1]["item_id"].tolist()


def test_the_bytes_of_an_answer_are_ids(served, signatures, recommender):
    """What TensorFlow says goes back in: as histories, as exclusions, as values of filters."""
    (history,) = served.random_histories(1, 5)
    best = signatures("serving_default", history=[history])["item_ids"]
    providers = signatures("provider_affinities", history=[history])["provider_ids"][0, :2]
    users = served.log.users[:2]
    for model in (recommender, served.folder):

        def ask(histories, model=model, **asked):
            return recommend(model, histories, k=4, **asked).to_dict("list")

        text = [[item.decode() for item in best[0]]]
        assert ask(best) == ask(text)
        assert ask([history], exclude=best[0]) == ask([history], exclude=text[0])
        assert ask([history], exclude=best) == ask([history], exclude=text)
        assert ask([history], exclude=best[0, 0]) == ask([history], exclude=text[0][0])
        names = [provider.decode() for provider in providers]
        for given, meant in ((providers, names), (providers[0], names[0])):
            expected = ask([history], only={"provider": meant})
            assert expected["item_id"]
            assert ask([history], only={"provider": given}) == expected
    answer = recommend(recommender, user_ids=[user.encode() for user in users], k=4)
    expected = recommend(recommender, user_ids=users, k=4)
    assert answer["item_id"].tolist() == expected["item_id"].tolist()


def test_record_batches_are_answered_by_a_model_that_is_loaded_once(
    served, saved, users, monkeypatch
):
    made = []

    class Counted(SavedModelRecommender):
        def __init__(self, directory):
            made.append(directory)
            super().__init__(directory)

    monkeypatch.setattr(saved_model_recommender, "SavedModelRecommender", Counted)
    answers = recommend_batches(served.folder, users.to_batches(max_chunksize=10), k=4)
    assert made == []
    answer = pa.Table.from_batches(list(answers))
    assert_same(answer, saved.recommend_table(users, k=4))
    list(recommend_batches(served.folder, users.to_batches(), k=4))
    # By the batches once, by `recommend` itself once a call.
    assert made == [served.folder]


def test_slices_large_and_typeless_columns_are_read(saved, users):
    wide = pa.table(
        {
            "user_id": users["user_id"].cast(pa.large_string()),
            "history": users["history"].cast(pa.large_list(pa.large_string())),
        }
    )
    plain = saved.recommend_table(users.drop_columns("exclude"))
    assert_same(saved.recommend_table(wide), plain)
    rows = plain.filter(pa.compute.is_in(plain["user_id"], users["user_id"][5:9]))
    assert_same(saved.recommend_table(wide.slice(5, 4)), rows)
    nobody = pa.table({"user_id": ["ann"], "history": [[]]})
    assert saved.recommend_table(nobody)["from_popularity"].to_pylist() == [True] * 20
    assert saved.recommend_table(wide.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("table", "asked", "message"),
    [
        ({"user": ["a"], "history": [["1"]]}, {}, "no column 'user_id', only user, history"),
        ({"user_id": ["a"]}, {}, "no column 'history', only user_id"),
        ({"user_id": [1], "history": [["1"]]}, {}, "'user_id' must hold strings, not int64"),
        ({"user_id": ["a"], "history": [[1]]}, {}, "'history' must hold lists of strings, not lis"),
        ({"user_id": ["a"], "history": ["1"]}, {}, "'history' must hold lists of strings, not str"),
        ({"user_id": ["a"], "history": [["1"]], "exclude": [1]}, {}, "'exclude' must hold lists"),
        (
            {"user_id": ["a"], "history": [["1"]]},
            {"k": 0},
            "k must be from 1 to 40, not 0",
        ),
        # So many places for a user are no memory to try for.
        (
            {"user_id": ["a"], "history": [["1"]]},
            {"k": 2**31 - 1},
            "k must be from 1 to 40, not 2147483647",
        ),
        ({"user_id": ["a"], "history": [["1"]]}, {"k": -1}, "k must be from 1 to what the model "),
        ({"user_id": ["a"], "history": [["1"]]}, {"k": 2**31}, "k must be from 1 to what the mod"),
        ({"user_id": ["a"], "history": [["1"]]}, {"k": 2.0}, r"k must be from 1 to .*, not 2\.0"),
        ({"user_id": ["a"], "history": [["1"]]}, {"k": True}, "k must be from 1 to .*, not True"),
        ({"user_id": ["a"], "history": [["1"]]}, {"because": 1.5}, "because must be 0, for no rea"),
        ({"user_id": ["a"], "history": [["1"]]}, {"diversity": "0.1"}, "diversity must be from 0"),
        (
            {"user_id": ["a"], "history": [["1"]]},
            {"only": {"color": ["red"]}},
            "with a name of: category, provider. Not so: color=red",
        ),
    ],
)
def test_bad_tables_and_requests_say_what_is_wrong(served, saved, table, asked, message):
    with pytest.raises(UserError, match=message) as caught:
        saved.recommend_table(pa.table(table), **asked)
    assert "\n" not in str(caught.value)
    if not asked:
        with pytest.raises(UserError, match=message):
            recommend(served.model, pa.table(table), split=served.split)


def test_what_a_saved_model_does_not_know(served, users, tmp_path):
    with pytest.raises(UserError, match="does not take candidates, on_unknown: give its run"):
        recommend(served.folder, users, candidates=["1"], on_unknown="raise")
    with pytest.raises(UserError, match="does not take user_ids"):
        recommend(served.folder, user_ids=["1"])
    with pytest.raises(UserError, match="to exclude are given twice"):
        recommend(served.folder, users, exclude=["1"])
    with pytest.raises(UserError, match="holds no SavedModel"):
        SavedModelRecommender(tmp_path)
