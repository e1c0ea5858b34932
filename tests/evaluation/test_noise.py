import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, evaluation_batches, leave_one_out, load_interactions
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.noise import NoisyHistories, drops, noise_counts


@pytest.fixture(scope="module")
def log():
    """Users with 3 to 30 items, of 200; items have providers, and some interactions their own."""
    rng = np.random.default_rng(4)
    rows = [
        {"user_id": user, "item_id": item, "timestamp": time, "provider": provider}
        for user in range(150)
        for time, (item, provider) in enumerate(
            zip(
                rng.permutation(200)[: rng.integers(3, 31)],
                rng.choice(["", "acme", "best"], size=30),
                strict=False,
            )
        )
    ]
    return load_interactions(pd.DataFrame(rows))


class Reader:
    """Keeps what it is shown, and likes the item that was read last."""

    def __init__(self, num_items, max_length=None):
        self.num_items, self.max_length, self.shown = num_items, max_length, {}

    def __call__(self, batch):
        def keep(rows, *streams):
            for place, row in enumerate(rows.tolist()):
                self.shown[row] = [stream[place] for stream in streams]
            return np.int32(0)

        streams = [batch["item_ids"]]
        streams += [batch["provider_ids"]] if "provider_ids" in batch else []
        done = tf.numpy_function(keep, [batch["rows"], *streams], tf.int32)
        with tf.control_dependencies([done]):
            return tf.one_hot(batch["item_ids"][:, -1] - 3, self.num_items)


def shown_under(log, part, share, max_length=None, seed=0):
    """By row the items, and providers, that a recommender sees."""
    split, reader = leave_one_out(log), Reader(log.num_items, max_length)
    noisy = NoisyHistories(reader, split, part, share, seed)
    held_out_ranks(noisy, split, part)
    return split, reader.shown


@pytest.mark.parametrize(("part", "share"), [("test", 0.05), ("test", 0.2), ("valid", 1.0)])
def test_strangers_stand_between_the_items_and_are_as_many_as_asked_for(log, part, share):
    split, shown = shown_under(log, part, share)
    held_out = split.held_out(part)
    lengths, strangers = held_out.histories.lengths, {}
    for row, (items, providers) in shown.items():
        own = log.item_ids[log.offsets[row] : log.offsets[row + 1]]
        real = items != 0
        # Padded on the left alone.
        assert (np.diff(real.astype(int)) >= 0).all()
        is_own = np.isin(items, own)
        history = own[: lengths[row]]
        np.testing.assert_array_equal(items[is_own], history)
        # Neither of the future.
        strangers[row] = items[real & ~is_own]
        assert (strangers[row] >= 3).all()
        # Items keep the provider of their interaction, and strangers have that of the item.
        np.testing.assert_array_equal(
            providers[is_own], log.provider_ids[log.offsets[row] :][: lengths[row]]
        )
        expected = log.providers.of_items[strangers[row]]
        np.testing.assert_array_equal(providers[real & ~is_own], expected)
    counts = np.array([len(strangers[row]) for row in range(len(lengths))])
    assert abs(counts.sum() - share * lengths.sum()) <= 0.5
    assert (np.abs(counts - share * lengths) < 1).all()
    # Any item may be a stranger.
    assert share < 1 or len(np.unique(np.concatenate([*strangers.values()]))) > 195


def test_strangers_may_stand_anywhere(log):
    _, shown = shown_under(log, "test", 1.0)
    places = []
    for row, (items, _) in shown.items():
        own = log.item_ids[log.offsets[row] : log.offsets[row + 1]]
        is_own = np.isin(items, own) & (items != 0)
        after = np.cumsum(is_own)[(items != 0) & ~is_own]
        places += (after / is_own.sum()).tolist()
    # Before the first, after the last, and on average in the middle.
    assert {0.0, 1.0} <= set(places)
    assert np.mean(places) == pytest.approx(0.5, abs=0.02)


def test_only_what_the_model_would_see_is_mixed_with_noise(log):
    _, shown = shown_under(log, "test", 0.5, max_length=8)
    kept, strangers = 0, 0
    for row, (items, _) in shown.items():
        own = log.item_ids[log.offsets[row] : log.offsets[row + 1]]
        assert len(items) <= 8
        kept += np.isin(items, own)[items != 0].sum()
        strangers += (~np.isin(items, own))[items != 0].sum()
    # A third of what is seen, as of longer histories.
    assert strangers / (kept + strangers) == pytest.approx(1 / 3, abs=0.03)


def test_the_seed_says_which(log):
    def items(seed):
        shown = shown_under(log, "test", 0.2, seed=seed)[1]
        return [shown[row][0].tolist() for row in sorted(shown)]

    assert items(1) == items(1)
    assert items(1) != items(2)


def test_the_ranking_leaves_out_the_true_history_and_no_more():
    log = Interactions.from_sequences({"ann": ["a", "b", "z"], "bob": ["c", "d", "a"]})
    split = leave_one_out(log)
    noisy = NoisyHistories(Reader(log.num_items), split, "test", 1.0)
    [batch] = evaluation_batches(split, "test")
    before, after = batch, noisy.noisy(batch)
    for name in ("seen_ids", "target_ids", "rows", "users"):
        np.testing.assert_array_equal(before[name], after[name])
    # Who had everything gets none.
    full = leave_one_out(Interactions.from_sequences({"ann": ["a", "b", "z"]}))
    [batch] = evaluation_batches(full, "test")
    shown = NoisyHistories(Reader(3), full, "test", 1.0).noisy(batch)["item_ids"].numpy()
    np.testing.assert_array_equal(shown[shown != 0], batch["item_ids"].numpy()[0])


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.2, 1.0])
def test_counts_are_exact_together_and_within_one_each(share):
    lengths = np.random.default_rng(1).integers(3, 60, size=5000)
    counts = noise_counts(lengths, share, seed=3)
    assert abs(counts.sum() - share * lengths.sum()) <= 0.5
    assert (np.abs(counts - share * lengths) < 1 + 1e-6).all()
    # What is rounded up is no matter of the order of the users.
    of_five = counts[lengths == 5].mean() if share < 0.2 else 5 * share
    assert of_five == pytest.approx(5 * share, abs=0.15)


def test_a_drop_is_in_percent():
    clean = {"HR@5": 0.08, "NDCG@5": 0.05, "MRR@5": 0.0}
    noisy = {"HR@5": 0.06, "NDCG@5": 0.055, "MRR@5": 0.0}
    assert drops(clean, noisy) == {"HR@5": 25.0, "NDCG@5": -10.0}


def test_each_batch_has_noise_of_its_own():
    """Of users who are all alike."""
    sequences = {f"u{user}": "abcdef" for user in range(20)} | {"other": [*"ghijklmnopqrstuv"]}
    split = leave_one_out(Interactions.from_sequences(sequences))
    noisy = NoisyHistories(Reader(split.interactions.num_items), split, "test", 1.0)
    first, second, *_ = evaluation_batches(split, "test", batch_size=10)
    one, other = (noisy.noisy(batch)["item_ids"].numpy() for batch in (first, second))
    assert one.shape == other.shape
    assert (one != other).any(axis=1).mean() > 0.5
