import keras
import numpy as np
import pytest

from tf_iclrec import Interactions, PopularityRecommender, evaluation_batches, leave_one_out

INPUTS = {"item_ids": np.array([[0, 3], [4, 5]], dtype="int32")}


@pytest.fixture
def split():
    """Trained on without the last two items of each user: three times tea, twice jam, once rye."""
    log = Interactions.from_sequences(
        {
            "ann": ["tea", "jam", "rye", "oil", "egg"],
            "bob": ["tea", "jam", "egg", "oil"],
            "eve": ["tea", "oil", "rye"],
        }
    )
    return leave_one_out(log)


def test_counts_training_items_only(split):
    model = PopularityRecommender.from_training_data(split)
    assert split.interactions.items.ids.tolist() == ["egg", "jam", "oil", "rye", "tea"]
    assert np.asarray(model.popularity).tolist() == [0, 2, 0, 1, 3]


def test_scores_are_the_counts_for_everyone():
    model = PopularityRecommender([3, 9, 4])
    assert np.asarray(model(INPUTS)).tolist() == [[3, 9, 4], [3, 9, 4]]


def test_evaluation_ranks_the_whole_catalogue(split):
    model = PopularityRecommender.from_training_data(split)
    metrics = model.evaluate(evaluation_batches(split, "test"), return_dict=True, verbose=0)
    # Unseen items by user and the target's rank. Ann: egg, 1. Bob: oil (0) and rye (1), 2.
    # Eve: egg (0), jam (2) and rye (1), 2.
    assert metrics["HR@5"] == 1.0
    assert metrics["MRR@5"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert metrics["NDCG@20"] == pytest.approx((1 + 2 / np.log2(3)) / 3)


def test_seen_items_can_stay_in_the_ranking(split):
    model = PopularityRecommender.from_training_data(split)
    batches = evaluation_batches(split, "test", filter_seen=False)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    # Ann's egg and Bob's oil tie for the last rank, Eve's rye is third.
    assert metrics["MRR@5"] == pytest.approx((1 / 5 + 1 / 5 + 1 / 3) / 3)


def test_saved_model_gives_the_same_scores(tmp_path):
    model = PopularityRecommender([3, 9, 4], cutoffs=(2, 3))
    expected = model(INPUTS)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(INPUTS), expected)
    assert loaded.cutoffs == (2, 3)
