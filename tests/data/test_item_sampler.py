import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, leave_one_out, training_batches
from tf_iclrec.data.item_sampler import ItemSampler, Sampling
from tf_iclrec.data.tasks import OwnItems

LOG = Interactions.from_sequences({"ann": list("aaabcd"), "bob": list("abcd"), "cat": list("aacd")})
SPLIT = leave_one_out(LOG)
TARGETS = SPLIT.train.without_first()


def test_draws_follow_the_weights():
    weights = np.array([5, 0, 3, 2])
    ids = ItemSampler(weights).draw(100_000, tf.constant([3, 4])).numpy()
    shares = np.bincount(ids - 3, minlength=4) / 100_000
    np.testing.assert_allclose(shares, weights / 10, atol=0.01)
    assert shares[1] == 0


def test_probabilities_are_those_of_the_draws():
    sampler = ItemSampler(np.array([1, 3]))
    logs = sampler.log_probabilities(tf.constant([[3, 4], [4, 4]]))
    np.testing.assert_allclose(np.exp(logs)[:, 1], 0.75, rtol=1e-6)


def test_popularity_counts_the_training_data_and_leaves_nothing_out():
    """Counts of a, b, c, d without the last two of each user: 6, 2, 0, 0."""
    sampler = ItemSampler.for_training(SPLIT, "popularity", TARGETS)
    shares = np.exp(sampler.log_probabilities(tf.range(3, 7)))
    np.testing.assert_allclose(shares, np.array([6, 2, 1, 1]) / 10, rtol=1e-6)
    uniform = ItemSampler.for_training(SPLIT, "uniform", TARGETS)
    np.testing.assert_allclose(np.exp(uniform.log_probabilities(tf.range(3, 7))), 0.25, rtol=1e-6)


@pytest.mark.parametrize("kind", ["uniform", "popularity", "in_batch"])
def test_batches_carry_samples_and_probabilities(kind):
    batches = [
        list(training_batches(SPLIT, 2, sampling=Sampling(kind, 9), seed=seed))
        for seed in (0, 0, 1)
    ]
    sampler = ItemSampler.for_training(SPLIT, kind, TARGETS)
    for batch in batches[0]:
        expected = sampler.log_probabilities(batch["sampled_ids"])
        np.testing.assert_array_equal(batch["sampled_log_probabilities"], expected)
        targets = batch["target_ids"][batch["target_ids"] != 0].numpy().tolist()
        if kind == "in_batch":
            assert batch["sampled_ids"].numpy().tolist() == targets
    if kind == "in_batch":
        return
    drawn = [np.concatenate([batch["sampled_ids"] for batch in some]) for some in batches]
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()
    assert batches[0][0]["sampled_ids"].shape == (9,)
    assert set(drawn[0]) <= {3, 4, 5, 6}


def test_samples_of_the_batch_have_the_probabilities_of_targets():
    """The last two targets of each user: a and b, b, a; their histories are aaab, ab and aa."""
    [batch] = training_batches(SPLIT, max_length=2, sampling=Sampling("in_batch", 0))
    shares = np.exp(batch["sampled_log_probabilities"])
    assert sorted(LOG.items.decode(batch["sampled_ids"])) == ["a", "a", "b", "b"]
    np.testing.assert_allclose(shares, 0.5, rtol=1e-6)


def test_negatives_and_samples_are_drawn_apart():
    log = Interactions.from_sequences({f"user {n}": [f"item {n}", "x", "y"] for n in range(2000)})
    split = leave_one_out(log)
    sampling = Sampling("uniform", 2000)
    [batch] = training_batches(split, 2000, task=OwnItems(), negatives=True, sampling=sampling)
    drawn = batch["negative_ids"].numpy().ravel(), batch["sampled_ids"].numpy()
    assert abs(np.corrcoef(*drawn)[0, 1]) < 0.1


def test_batches_without_sampling_carry_none():
    assert "sampled_ids" not in next(iter(training_batches(SPLIT, 2)))
