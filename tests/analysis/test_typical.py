"""What is typical, beside slow calculations."""

from math import comb

import numpy as np
import pytest
from scipy import sparse, stats

from tf_iclrec.analysis.intents.typical import benjamini_hochberg, lifts, users_of_values
from tf_iclrec.data.histories import Histories


def some_histories(num_users=30, num_values=6, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 8, num_users)
    ends = np.cumsum(lengths)
    # 1 = unknown.
    ids = random.choice([1, *range(3, 3 + num_values)], ends[-1]).astype("int32")
    return Histories(ids, ends - lengths, ends), random.integers(0, 3, num_users)


@pytest.mark.parametrize("above_average", [False, True])
@pytest.mark.parametrize("block", [1, 10, 10_000])
def test_users_are_counted_as_one_by_one(monkeypatch, above_average, block):
    monkeypatch.setattr("tf_iclrec.data.arrays.BLOCK", block)
    histories, groups = some_histories()
    shares = np.zeros((30, 6))
    for user in range(30):
        ids = histories.item_ids[histories.starts[user] : histories.ends[user]]
        known = ids[ids >= 3] - 3
        if len(known):
            shares[user] = np.bincount(known, minlength=6) / len(known)
    has_any = shares.sum(axis=1) > 0
    least = shares[has_any].mean(axis=0) if above_average else 0.0
    expected = np.zeros((3, 6))
    for user in range(30):
        expected[groups[user]] += shares[user] > least
    found = users_of_values(histories, None, 6, groups, 3, above_average)
    np.testing.assert_array_equal(found.toarray(), expected)


def test_values_that_all_users_have_alike_are_above_nobodys_average():
    ids = np.tile(np.array([3, 3, 4], dtype="int32"), 7)
    histories = Histories(ids, np.arange(0, 21, 3), np.arange(3, 24, 3))
    assert users_of_values(histories, None, 2, np.zeros(7, int), 1, True).nnz == 0


def test_lifts_and_tests_are_those_of_a_slow_calculation():
    random = np.random.default_rng(3)
    sizes = np.array([12, 30, 18, 0])
    users = np.stack([random.binomial(size, random.random(9) * 0.7) for size in sizes])
    users[:, 8] = [11, 0, 0, 0]
    totals, everyone = users.sum(axis=0), sizes.sum()
    p_values = np.ones(users.shape)
    for group, value in np.ndindex(users.shape):
        ways = [
            comb(int(totals[value]), x) * comb(int(everyone - totals[value]), int(sizes[group]) - x)
            for x in range(users[group, value], min(sizes[group], totals[value]) + 1)
        ]
        p_values[group, value] = sum(ways) / comb(int(everyone), int(sizes[group]))
    compared = p_values[:3, totals > 0]
    p_values[:3, totals > 0] = stats.false_discovery_control(compared.ravel()).reshape(
        compared.shape
    )
    found = lifts(sparse.csr_matrix(users.astype(float)), sizes, significance=0.2)
    expected = {
        (group, value): users[group, value] / sizes[group] / (totals[value] / everyone)
        for group, value in np.argwhere((p_values <= 0.2) & (users > 0)).tolist()
        if users[group, value] / sizes[group] > totals[value] / everyone
    }
    pairs = list(zip(found.groups.tolist(), found.values.tolist(), strict=True))
    assert set(pairs) == set(expected) >= {(0, 8)}
    for pair, lift, p_value in zip(pairs, found.lifts, found.p_values, strict=True):
        assert lift == pytest.approx(expected[pair])
        assert p_value == pytest.approx(p_values[pair])
    # By group, and the most certain first.
    assert pairs[0] == (0, 8)
    assert found.groups.tolist() == sorted(found.groups.tolist())
    for group in range(3):
        assert (np.diff(found.least_lifts[found.groups == group]) <= 0).all()


def test_the_least_lift_is_the_end_of_the_interval():
    found = lifts(sparse.csr_matrix([[9.0, 5.0], [1.0, 5.0]]), np.array([10, 10]))
    assert found.least_lifts[0] == pytest.approx(stats.gamma.ppf(0.025, 9.5, scale=1 / 5.5))


def test_a_rare_value_does_not_win_by_its_lift():
    """Four of four users, a lift of 10, against 90 of 100, a lift of 9."""
    found = lifts(sparse.csr_matrix([[4.0, 90.0], [0.0, 10.0]]), np.array([100, 900]))
    assert found.values.tolist() == [1, 0]
    assert found.lifts.tolist() == pytest.approx([9.0, 10.0])


def test_what_chance_explains_is_not_typical():
    random = np.random.default_rng(4)
    sizes = np.array([200, 300, 500])
    users = np.stack([random.binomial(size, 0.05, 2000) for size in sizes]).astype(float)
    # Of six thousand comparisons three hundred have a p-value below 0.05.
    assert len(lifts(sparse.csr_matrix(users), sizes).groups) <= 1


def test_adjusting_counts_comparisons_that_are_not_there():
    p_values = np.array([0.001, 0.04, 0.03, 0.2])
    expected = stats.false_discovery_control([*p_values, *[1.0] * 16])[:4]
    np.testing.assert_allclose(benjamini_hochberg(p_values, 20), expected)


def test_the_first_of_each_group():
    users = sparse.csr_matrix(np.eye(3, 9).repeat(3, axis=1)[:, :9] * 50)
    found = lifts(users, np.array([100, 100, 100]))
    assert found.first(2).groups.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.first(5).groups.tolist() == found.groups.tolist()
