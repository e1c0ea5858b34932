import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, UserError, evaluation_batches
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.evaluation.ranking import rank_and_list
from tf_iclrec.models import ease
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.settings import settings_of

# Left-padded, right-padded, unknown ids and repeated items, nothing known.
IDS = np.array([[0, 0, 3, 4, 9], [5, 6, 3, 0, 0], [7, 1, 2, 8, 7], [0, 0, 0, 1, 0]], dtype="int32")


@pytest.fixture(scope="module")
def log():
    """Items come up again and again, also for the same user."""
    rng = np.random.default_rng(0)
    return Interactions.from_sequences(
        {
            f"u{user}": [f"i{item}" for item in rng.integers(12, size=length)]
            for user, length in enumerate(rng.integers(3, 14, size=30))
        }
    )


def fitted(log, **settings):
    model = EaseRecommender(log.num_items, **settings)
    model.fit_histories(leave_one_out(log).train)
    return model


def slow_weights(log, l2):
    users = np.zeros((log.num_users, log.num_items))
    for row, piece in zip(users, np.split(log.item_ids - 3, log.offsets[1:-1]), strict=True):
        for item in piece[:-2]:
            row[item] = 1
    inverse = np.linalg.inv(users.T @ users + l2 * np.eye(log.num_items))
    weights = np.zeros_like(inverse)
    for i in range(log.num_items):
        for j in range(log.num_items):
            weights[i, j] = 0 if i == j else -inverse[i, j] / inverse[j, j]
    return weights


def slow_scores(weights, ids):
    return np.array([sum(weights[i - 3] for i in {*row} if i >= 3) + 0 * weights[0] for row in ids])


@pytest.mark.parametrize("l2", [0.5, 20.0])
@pytest.mark.parametrize("rows", [5, 512])
def test_matches_the_slow_transcription(log, l2, rows, monkeypatch):
    monkeypatch.setattr(ease, "_ROWS", rows)
    scores = fitted(log, l2=l2)({"item_ids": IDS})
    # Less than the 1e-6 of popularity.
    np.testing.assert_allclose(scores, slow_scores(slow_weights(log, l2), IDS), atol=2e-6)


def test_weights_are_those_of_a_ridge_regression_on_the_other_items(log):
    """What the closed form says: each column alone, by least squares."""
    l2, target = 2.0, 4
    users = np.zeros((log.num_users, log.num_items))
    for row, piece in zip(users, np.split(log.item_ids - 3, log.offsets[1:-1]), strict=True):
        row[piece[:-2]] = 1
    others = np.delete(np.arange(log.num_items), target)
    gram = users[:, others].T @ users[:, others] + l2 * np.eye(len(others))
    expected = np.linalg.solve(gram, users[:, others].T @ users[:, target])
    histories = np.arange(3, log.num_items + 3, dtype="int32")[:, np.newaxis]
    scores = np.asarray(fitted(log, l2=l2)({"item_ids": histories}))
    np.testing.assert_allclose(scores[others, target], expected, atol=2e-6)
    assert scores[target, target] < 1e-6


def test_by_hand():
    """Two users have both items: XᵀX + 2I = [[4, 2], [2, 4]], P = [[4, -2], [-2, 4]] / 12."""
    log = Interactions.from_sequences({"a": "tj??", "b": "jt??"})
    scores = np.asarray(fitted(log, l2=2.0)({"item_ids": log.items.encode(["t"])[np.newaxis]}))[0]
    votes = dict(zip(log.items.ids, scores, strict=True))
    assert votes["j"] == pytest.approx(0.5, abs=2e-6)
    assert (votes["t"], votes["?"]) == pytest.approx((0, 0), abs=2e-6)


def test_the_largest_entries_of_each_row_are_kept(log):
    weights = slow_weights(log, 1.0)
    for row in weights:
        row[np.argsort(np.abs(row))[:-3]] = 0
    model = fitted(log, l2=1.0, neighbours=3)
    np.testing.assert_allclose(model({"item_ids": IDS}), slow_scores(weights, IDS), atol=2e-6)
    assert model.votes.num_entries == 3 * log.num_items


def test_one_item_has_no_other_to_vote_for():
    model = fitted(Interactions.from_sequences({"ann": "jjjj", "bob": "jjj"}))
    assert model({"item_ids": np.array([[3, 3]], dtype="int32")}).shape == (1, 1)
    assert model.votes.num_entries == 0


def test_order_and_repetition_change_nothing(log):
    model = fitted(log)
    expected = np.asarray(model({"item_ids": np.array([[4, 7, 3]], dtype="int32")}))
    for ids in ([7, 4, 3], [3, 3, 7, 4, 7], [0, 4, 7, 3], [4, 7, 3, 0, 0], [4, 1, 7, 2, 3]):
        scores = model({"item_ids": np.array([ids], dtype="int32")})
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-9)


def test_saved_model_gives_the_same_scores(log, tmp_path):
    model = fitted(log, l2=3.0, cutoffs=(2, 3), neighbours=4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded({"item_ids": IDS}), model({"item_ids": IDS}))
    assert loaded.get_config() == model.get_config()
    assert (loaded.cutoffs, loaded.l2, loaded.neighbours) == ((2, 3), 3.0, 4)
    assert loaded.trainable_variables == []


def test_runs_in_a_saved_model(log, tmp_path):
    model = fitted(log)
    module = tf.Module()
    # Keras' variables have TensorFlow's inside.
    module.weights = [variable.value for variable in model.variables]
    spec = tf.TensorSpec([None, None], tf.int32)
    module.score = tf.function(lambda ids: model({"item_ids": ids}), input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for rows in (IDS[:1], IDS):
        np.testing.assert_array_equal(loaded.score(rows), model({"item_ids": rows}))


def test_is_evaluated_as_any_model(log):
    model, batches = fitted(log), evaluation_batches(leave_one_out(log), "valid", batch_size=7)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    assert metrics["MRR@20"] == pytest.approx(
        (1 / rank_and_list(model, batches, k=0)[0]).mean(), rel=1e-5
    )


def test_too_many_items_for_the_memory_are_told_in_one_line(log, monkeypatch):
    def fail(*given):
        raise MemoryError

    monkeypatch.setattr(ease, "regularized_inverse", fail)
    with pytest.raises(UserError, match=r"^EASE needs memory for .* items[^\n]*$"):
        fitted(log)


def test_too_little_l2_is_told_in_one_line():
    """What all users have twins of: without it there is no inverse."""
    twins = Interactions.from_sequences({f"u{user}": "tjr??" for user in range(200)})
    with pytest.raises(UserError, match=r"^EASE [^\n]*--ease-l2[^\n]*$"):
        fitted(twins, l2=1e-9)


def test_settings_are_declared():
    options = {one.option("") for one in settings_of(EaseRecommender).values()}
    assert options == {"ease_l2", "neighbours", "max_length"}
