import itertools

import keras
import numpy as np
import pytest

from tf_iclrec import (
    Interactions,
    PopularityRecommender,
    evaluation_batches,
    load_interactions,
)
from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.evaluation.ranking import rank_and_list
from tf_iclrec.models.transitions import TransitionRecommender

# Left-padded, right-padded, unknown ids between, nothing known.
IDS = np.array([[0, 0, 3, 4, 9], [5, 6, 3, 0, 0], [7, 1, 2, 8, 8], [0, 0, 0, 1, 0]], dtype="int32")


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(0)
    return Interactions.from_sequences(
        {
            f"u{user}": [f"i{item}" for item in rng.integers(12, size=length)]
            for user, length in enumerate(rng.integers(3, 14, size=30))
        }
    )


def fitted(log, part="train", **settings):
    split = leave_one_out(log)
    model = TransitionRecommender(log.num_items, **settings)
    model.fit_histories(split.train if part == "train" else split.held_out(part).histories)
    return model


def training_items(log):
    """Each user's items but the last two, numbered from 0."""
    pieces = np.split(log.item_ids - 3, log.offsets[1:-1])
    return [piece[:-2].tolist() for piece in pieces]


def slow_votes(sequences, num_items, window, decay, backward, smoothing, neighbours):
    met = np.zeros((num_items, num_items))
    for items in sequences:
        for first, second in itertools.combinations(range(len(items)), 2):
            distance = second - first
            if distance <= window:
                met[items[first], items[second]] += decay ** (distance - 1)
                met[items[second], items[first]] += backward * decay ** (distance - 1)
    votes = np.zeros_like(met)
    for item, row in enumerate(met):
        # Sorting is stable and columns ascend, as where many entries are the same.
        for other in np.argsort(-row, kind="stable")[:neighbours]:
            votes[item, other] = row[other] / (row.sum() + smoothing) if row[other] else 0
    return votes


def slow_scores(votes, ids, history_decay, popularity):
    scores = np.zeros((len(ids), len(votes)))
    for row, history in zip(scores, ids, strict=True):
        real = [item for item in history if item != 0]
        for back, item in enumerate(reversed(real)):
            if item >= 3:
                row += history_decay**back * votes[item - 3]
        row += 1e-6 * popularity / popularity.sum()
    return scores


@pytest.mark.parametrize(
    "settings",
    [
        {"window": 4, "decay": 0.5, "backward": 0.2, "smoothing": 3.0, "history_decay": 0.6},
        {"window": 1, "decay": 1.0, "backward": 0.0, "smoothing": 0.5, "history_decay": 0.0},
        {"window": 50, "decay": 0.9, "backward": 1.0, "smoothing": 0.0, "history_decay": 1.0},
        {"window": 3, "neighbours": 2},
    ],
)
def test_matches_the_slow_transcription(log, settings):
    model = fitted(log, **settings)
    names = ("window", "decay", "backward", "smoothing", "neighbours")
    sequences = training_items(log)
    votes = slow_votes(sequences, log.num_items, *(getattr(model, name) for name in names))
    popularity = np.bincount(np.concatenate(sequences).astype(int), minlength=log.num_items)
    expected = slow_scores(votes, IDS, model.history_decay, popularity)
    np.testing.assert_allclose(model({"item_ids": IDS}), expected, rtol=1e-5, atol=1e-9)


def test_by_hand():
    """Tea was followed by jam twice, at once and two steps later, and by rye once."""
    log = Interactions.from_sequences({"a": "tj??", "b": "trj??"})
    model = fitted(log, decay=0.5, backward=0.0, smoothing=0.5, window=5)
    scores = np.asarray(model({"item_ids": log.items.encode(["t"])[np.newaxis]}))[0]
    votes = dict(zip(log.items.ids, scores, strict=True))
    assert votes["j"] == pytest.approx((1 + 0.5) / (2.5 + 0.5), abs=2e-6)
    assert votes["r"] == pytest.approx(1 / (2.5 + 0.5), abs=2e-6)
    assert votes["t"] == pytest.approx(1e-6 * 2 / 5)


def test_history_counts_less_the_longer_ago():
    log = Interactions.from_sequences({"a": "tj??", "b": "rs??"})
    model = fitted(log, smoothing=0.0, backward=0.0, history_decay=0.3)
    scores = np.asarray(model({"item_ids": log.items.encode(["t", "r"])[np.newaxis]}))[0]
    votes = dict(zip(log.items.ids, scores, strict=True))
    assert (votes["j"], votes["s"]) == pytest.approx((0.3, 1.0), abs=2e-6)


def test_held_out_items_are_not_counted(log):
    """The model is the same when other items are held out."""
    pieces = np.split(log.items.decode(log.item_ids), log.offsets[1:-1])
    swapped = Interactions.from_sequences(
        {f"u{user}": [*piece[:-2], *piece[:-3:-1]] for user, piece in enumerate(pieces)}
    )
    one, other = fitted(log), fitted(swapped)
    np.testing.assert_array_equal(one({"item_ids": IDS}), other({"item_ids": IDS}))


def test_padding_on_either_side_changes_nothing(log):
    model = fitted(log)
    plain = np.array([[4, 7, 3]], dtype="int32")
    expected = np.asarray(model({"item_ids": plain}))
    for pad in ([(0, 0), (3, 0)], [(0, 0), (0, 2)]):
        np.testing.assert_allclose(
            model({"item_ids": np.pad(plain, pad)}), expected, rtol=1e-6, atol=1e-9
        )


def test_users_of_whom_nothing_is_known_get_the_popular_items(log):
    model = fitted(log)
    scores = np.asarray(model({"item_ids": np.array([[0, 1]], dtype="int32")}))[0]
    assert np.argmax(scores) == np.argmax(np.asarray(model.popularity))
    assert np.argsort(scores).tolist() == np.argsort(np.asarray(model.popularity)).tolist()


def test_saved_model_gives_the_same_scores(log, tmp_path):
    model = fitted(log, window=3, decay=0.5, cutoffs=(2, 3), neighbours=4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded({"item_ids": IDS}), model({"item_ids": IDS}))
    assert loaded.get_config() == model.get_config()
    assert (loaded.cutoffs, loaded.window, loaded.neighbours) == ((2, 3), 3, 4)
    assert loaded.trainable_variables == []


def test_is_made_for_a_catalogue_and_evaluated(log):
    model = TransitionRecommender.for_catalogue(Catalogue(log.num_items), window=2)
    model.fit_histories(leave_one_out(log).train)
    batches = evaluation_batches(leave_one_out(log), "valid", batch_size=7)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    ranks = rank_and_list(model, batches, k=0)[0]
    assert metrics["MRR@20"] == pytest.approx((1 / ranks).mean(), rel=1e-5)


def test_half_precision_of_other_models_changes_nothing(log):
    expected = fitted(log)({"item_ids": IDS})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        np.testing.assert_array_equal(fitted(log)({"item_ids": IDS}), expected)
    finally:
        keras.config.set_dtype_policy("float32")


def test_ranks_far_better_than_popularity_on_beauty(shared):
    log = load_interactions(shared / "data" / "sequences" / "Beauty.txt")
    batches = evaluation_batches(leave_one_out(log), "valid", max_users=2000)
    popularity = PopularityRecommender.from_training_data(leave_one_out(log))
    found, popular = (
        (rank_and_list(m, batches, k=0)[0] <= 20).mean() for m in (fitted(log), popularity)
    )
    assert found > 4 * popular
