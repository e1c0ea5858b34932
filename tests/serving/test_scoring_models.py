"""Serving of models whose scores are no dot products, and of models that know their users."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tf_iclrec import BatchRecommender, Interactions, UserError, export_saved_model, recommend
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.layers.masks import last_valid, valid_mask
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.serving.nearest_neighbours import export_nearest_neighbours

from .conftest import built, request

STRANGERS = -1


def as_tensors(inputs):
    return {name: tf.constant(value) for name, value in inputs.items()}


class TableRecommender(Recommender):
    """Scores by tables: a row for the last item, and one for the user where it reads users."""

    def __init__(self, num_items, num_users=0):
        super().__init__()
        random = np.random.default_rng(0)
        self.of_items = random.normal(size=(num_items + 3, num_items)).astype("float32")
        self.of_users = random.normal(size=(num_users, num_items)).astype("float32")
        if num_users:
            self.reads, self.users_suffice = ("items", "users"), True

    @property
    def max_length(self):
        return 4

    def call(self, inputs, training=False):
        ids = ops.convert_to_tensor(inputs["item_ids"])
        last = last_valid(ops.cast(ids, "float32")[..., None], valid_mask(ids))[:, 0]
        scores = ops.take(ops.convert_to_tensor(self.of_items), ops.cast(last, "int32"), axis=0)
        if not len(self.of_users):
            return scores
        users = ops.convert_to_tensor(inputs["users"])
        own = ops.take(ops.convert_to_tensor(self.of_users), ops.maximum(users, 0), axis=0)
        return scores + ops.where(users[:, None] >= 0, own, 0.0)

    def expected(self, history, user=STRANGERS):
        """Of internal ids; a user alone has an unknown item."""
        scores = self.of_items[history[-1] if len(history) else UNKNOWN_ID].copy()
        return scores if user == STRANGERS else scores + self.of_users[user]


@pytest.fixture(scope="module")
def by_items(log):
    return TableRecommender(log.num_items)


@pytest.fixture(scope="module")
def by_users(split):
    return TableRecommender(split.catalogue.num_items, split.catalogue.num_users)


@pytest.fixture(scope="module")
def served_by_users(by_users, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "1"
    export_saved_model(by_users, split, folder, k=5, max_k=40)
    return tf.saved_model.load(str(folder))


@pytest.fixture(scope="module")
def signatures_by_items(by_items, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "1"
    export_saved_model(by_items, split, folder, k=5)
    return tf.saved_model.load(str(folder)).signatures


def best(log, scores, k, left_out=()):
    """Raw ids of the best items, and their scores."""
    scores = scores.copy()
    scores[np.asarray(left_out, dtype=int) - 3] = -np.inf
    rows = np.argsort(-scores, kind="stable")[:k]
    return log.items.ids[rows].tolist(), scores[rows]


def history_of(log, row):
    return log.item_ids[log.offsets[row] : log.offsets[row + 1]]


def check_frame(frame, user, expected):
    rows = frame[frame["user_id"] == user]
    assert rows["item_id"].tolist() == expected[0]
    np.testing.assert_allclose(rows["score"], expected[1], rtol=1e-5)


@pytest.mark.parametrize("candidates", ["all", "some", "per user"])
def test_the_best_by_their_scores(by_items, split, log, candidates):
    histories = [log.items.ids[[5, 9]].tolist(), log.items.ids[[40, 41, 42, 43, 44]].tolist()]
    ids, listed = [log.items.encode(history) for history in histories], None
    if candidates == "some":
        listed = log.items.ids[20:60].tolist()
    if candidates == "per user":
        listed = [log.items.ids[20:60].tolist(), log.items.ids[30:80].tolist()]
    frame = recommend(by_items, histories, split=split, k=6, candidates=listed)
    for user, history in enumerate(ids):
        allowed = {"all": range(89), "some": range(20, 60)}.get(candidates)
        allowed = allowed or [range(20, 60), range(30, 80)][user]
        others = [row + 3 for row in range(89) if row not in allowed]
        wanted = best(log, by_items.expected(history), 6, [*history, *others])
        check_frame(frame, user, wanted)


def test_strangers_get_what_is_popular(by_items, split, log):
    frame = recommend(by_items, [["unknown"]], split=split, k=4)
    check_frame(frame, 0, best(log, split.training_counts.astype("float32"), 4))
    assert frame["from_popularity"].all()


def test_the_saved_model_has_the_same_scores_and_no_vectors(
    by_items, signatures_by_items, split, log
):
    assert set(signatures_by_items) == {
        *("serving_default", "recommend", "rank", "similar_items", "provider_affinities"),
        *("explain", "recommend_diverse"),
    }
    history = log.items.ids[[7, 30]].tolist()
    ids = log.items.encode(history)
    both = tf.constant([history, ["unknown", ""]])
    answer = signatures_by_items["serving_default"](history=both)
    wanted = best(log, by_items.expected(ids), 5, ids)
    assert [item.decode() for item in answer["item_ids"].numpy()[0]] == wanted[0]
    np.testing.assert_allclose(answer["scores"][0], wanted[1], rtol=1e-5)
    popular = best(log, split.training_counts.astype("float32"), 5)
    assert [item.decode() for item in answer["item_ids"].numpy()[1]] == popular[0]
    assert answer["from_popularity"].numpy().tolist() == [False, True]
    answer = signatures_by_items["rank"](
        history=tf.constant([history]), candidates=tf.constant([[*log.items.ids[:3], "unknown"]])
    )
    scores = [*by_items.expected(ids)[:3], -np.inf]
    np.testing.assert_allclose(answer["scores"][0], scores, rtol=1e-5)


def test_similar_items_are_what_a_history_of_the_item_alone_gives(
    by_items, signatures_by_items, log
):
    similar = signatures_by_items["similar_items"]
    answer = similar(item_ids=tf.constant([log.items.ids[12], "unknown"]))
    ids, scores = best(log, by_items.expected([15]), 5, [15])
    assert [item.decode() for item in answer["item_ids"].numpy()[0]] == ids
    np.testing.assert_allclose(answer["scores"][0], scores, rtol=1e-5)
    assert answer["item_ids"].numpy()[1].tolist() == [b""] * 5


def test_there_are_no_vectors_to_write(by_items, split, tmp_path):
    with pytest.raises(UserError, match="no item vectors"):
        export_nearest_neighbours(by_items, split, tmp_path / "ann")
    assert not (tmp_path / "ann").exists()


def test_users_of_the_training_data_are_known_by_their_ids(by_users, split, log):
    users = log.users[[7, 3]].tolist()
    frame = recommend(by_users, user_ids=[*users, "nobody"], split=split, k=4)
    for user, row in zip(users, [7, 3], strict=True):
        history = history_of(log, row)
        check_frame(frame, user, best(log, by_users.expected(history, row), 4, history))
    popular = best(log, split.training_counts.astype("float32"), 4)
    check_frame(frame, "nobody", popular)


def test_histories_alone_are_of_strangers(by_users, split, log):
    ids = history_of(log, 3)
    frame = recommend(by_users, [log.items.decode(ids).tolist()], split=split, k=4)
    check_frame(frame, 0, best(log, by_users.expected(ids), 4, ids))


def test_rows_of_users_are_those_of_the_training_data(by_items, by_users, split, log):
    known = log.users[[2, 0]].tolist()
    assert BatchRecommender(by_items, split).trained_rows(known) is None
    for newer in (None, log.select(np.arange(log.num_actions) >= log.offsets[5])):
        rows = BatchRecommender(by_users, split, newer).trained_rows([*known, "nobody"])
        assert (rows.tolist(), rows.dtype) == ([2, 0, -1], np.int32)


def test_the_saved_model_is_asked_for_a_user(by_users, served_by_users, log):
    ids = history_of(log, 9)
    history = log.items.decode(ids).tolist()
    answer = served_by_users.signatures["recommend_to_user"](
        user_id=tf.constant([log.users[9], "nobody"]),
        **as_tensors(request([history, history], k=6)),
    )
    for row, user in enumerate([9, STRANGERS]):
        wanted = best(log, by_users.expected(ids, user), 6, ids)
        assert [item.decode() for item in answer["item_ids"].numpy()[row]] == wanted[0]
        np.testing.assert_allclose(answer["scores"][row], wanted[1], rtol=1e-5)
    assert answer["from_popularity"].numpy().tolist() == [False, False]


def test_a_known_user_without_a_history_is_no_stranger(by_users, served_by_users, split, log):
    answer = served_by_users.signatures["recommend_to_user"](
        user_id=tf.constant([log.users[9], "nobody"]),
        **as_tensors(request([[""], [""]], k=4)),
    )
    assert answer["from_popularity"].numpy().tolist() == [False, True]
    wanted = best(log, by_users.expected([], 9), 4)
    assert [item.decode() for item in answer["item_ids"].numpy()[0]] == wanted[0]
    popular = best(log, split.training_counts.astype("float32"), 4)
    assert [item.decode() for item in answer["item_ids"].numpy()[1]] == popular[0]


@pytest.mark.parametrize(("name", "is_personal"), [("bpr_mf", True), ("caser", False)])
def test_a_known_user_without_a_known_item(
    name, is_personal, split, log, tmp_path, served_to_users
):
    """Matrix factorization has the user's own vector; to Caser, a window of nothing says nothing,
    and the items come by popularity. Either way Python and the SavedModel agree."""
    users = [log.users[9], "nobody"]
    if is_personal:
        model, folder = served_to_users.model, served_to_users.folder
    else:
        model, folder = built(name, log), str(tmp_path / "1")
        export_saved_model(model, split, folder, k=5)
    signatures = tf.saved_model.load(folder).signatures
    popular = best(log, split.training_counts.astype("float32"), 4)
    # The vector of a known user is the same whatever the history.
    own = {"item_ids": tf.constant([[7]]), "users": tf.constant([9])}
    wanted = [best(log, np.asarray(model(own))[0], 4) if is_personal else popular, popular]
    served = signatures["recommend_to_user"](
        user_id=tf.constant(users), **as_tensors(request([[""], ["unknown"]], k=4))
    )
    newer = Interactions.from_sequences({user: ["unheard-of"] for user in users})
    recommender = BatchRecommender(model, split, newer)
    nothing = recommender.encode_items((), 2, "ignore")
    table = recommender.recommend(
        users,
        recommender.histories_of(users),
        4,
        True,
        nothing,
        recommender.search(),
        recommender.trained_rows(users),
        because=2,
    ).to_pandas()
    for row, (items, scores) in enumerate(wanted):
        assert [item.decode() for item in served["item_ids"].numpy()[row]] == items
        np.testing.assert_allclose(served["scores"][row], scores, rtol=1e-5)
        check_frame(table, users[row], (items, scores))
    by_popularity = [not is_personal, True]
    assert served["from_popularity"].numpy().tolist() == by_popularity
    assert table["from_popularity"].tolist() == np.repeat(by_popularity, 4).tolist()
    assert table["because"].map(len).sum() == 0
    # The only item of a history is no reason where the user alone has the same score.
    history, item = log.items.ids[[4]], wanted[0][0][0]
    reasons = signatures["explain_to_user"](
        user_id=tf.constant(users[:1]),
        history=tf.constant([history]),
        item_ids=tf.constant([[item]]),
        because=tf.constant(1),
    )
    with_it = {"item_ids": log.items.encode(history)[None], "users": tf.constant([9])}
    score = np.asarray(model(with_it))[0, log.items.encode([item])[0] - 3]
    drop = 0.0 if is_personal else max(score, 0.0)
    np.testing.assert_allclose(reasons["drops"].numpy().ravel(), [drop], rtol=1e-4)


def test_only_models_that_read_users_are_asked_for_them(served):
    signatures = tf.saved_model.load(served.folder).signatures
    assert "recommend_to_user" not in signatures
