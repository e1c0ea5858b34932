import keras
import numpy as np
import pytest

from tf_iclrec import Interactions, PopularityRecommender
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.transitions import TransitionRecommender

MODELS = [PopularityRecommender, TransitionRecommender, EaseRecommender]


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(1)
    return Interactions.from_sequences(
        {f"u{user}": [f"i{item}" for item in rng.integers(9, size=6)] for user in range(20)}
    )


@pytest.mark.parametrize("kind", MODELS)
def test_all_are_made_for_a_catalogue_and_fitted_to_histories(log, kind):
    model = kind.for_catalogue(Catalogue(log.num_items), max_length=7)
    model.fit_histories(leave_one_out(log).train)
    np.testing.assert_array_equal(model.popularity, leave_one_out(log).training_counts)
    scores = np.asarray(model({"item_ids": np.array([[0, 3]], dtype="int32")}))
    assert scores.shape == (1, log.num_items)
    assert scores.dtype == np.float32
    assert scores.any()
    assert model.max_length == 7


@pytest.mark.parametrize("kind", MODELS)
def test_only_the_given_histories_are_read(log, kind):
    histories = leave_one_out(log).train.rows(np.arange(4))
    first = Interactions.from_sequences(
        {
            f"u{user}": log.items.decode(log.item_ids[log.offsets[user] : log.offsets[user + 1]])
            for user in range(4)
        }
    )
    model, other = kind(num_items=log.num_items), kind(num_items=first.num_items)
    model.fit_histories(histories)
    other.fit_histories(leave_one_out(first).train)
    item = first.items.ids[0]
    scores, others = (
        np.asarray(one({"item_ids": of.items.encode([item])[np.newaxis]}))[0]
        for one, of in ((model, log), (other, first))
    )
    there = log.items.encode(first.items.ids) - 3
    np.testing.assert_allclose(scores[there], others, rtol=1e-4, atol=1e-9)


def test_a_model_without_votes_says_so(log):
    with pytest.raises(ValueError, match="call update"):
        EaseRecommender(log.num_items)({"item_ids": np.array([[3]], dtype="int32")})


@pytest.mark.parametrize("kind", MODELS)
def test_what_was_computed_is_saved_as_weights(log, kind, tmp_path):
    model = kind(num_items=log.num_items)
    model.fit_histories(leave_one_out(log).train)
    assert not any(isinstance(value, list | np.ndarray) for value in model.get_config().values())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_fitted_model_stays_where_others_votes_do_not_fit(log):
    model = TransitionRecommender(num_items=log.num_items)
    model.fit_histories(leave_one_out(log).train)
    before = model.get_weights()
    with pytest.raises(ValueError, match="make a new model"):
        model.fit_histories(leave_one_out(log).train.rows(np.arange(2)))
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
