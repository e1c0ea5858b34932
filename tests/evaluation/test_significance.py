import math

import numpy as np
import pytest

from tf_iclrec import paired_t_test


def pairs(seed, users, shift):
    """Two rows of related gains, many of them zero."""
    rng = np.random.default_rng(seed)
    first = np.where(rng.random(users) < 0.3, 1 / np.log2(1 + rng.integers(1, 21, users)), 0.0)
    return first, first + rng.normal(shift, 0.3, users)


CASES = [(seed, users, 0.05) for seed, users in enumerate([2, 3, 10, 41, 500, 2500])]
CASES += [(6, 500, 0.3), (7, 5000, 0.0), (8, 22363, 0.02)]


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [
        ([1.0, 3.0], 1 - 2 / math.pi * math.atan(2)),  # t = 2, one degree of freedom
        ([-3.0, -1.0], 1 - 2 / math.pi * math.atan(2)),
        ([1.0, 2.0, 3.0], 1 - math.sqrt(12 / 14)),  # t = sqrt(12), two degrees
        ([2.0, -2.0, 1.0, -1.0], 1.0),
        ([0.0, 0.0, 0.0], 1.0),
        ([1.0, 1.0, 1.0], 0.0),
    ],
)
def test_by_hand(differences, p_value):
    second = np.arange(len(differences), dtype=np.float64)
    result = paired_t_test(second + differences, second)
    assert result.difference == pytest.approx(np.mean(differences), abs=1e-12)
    assert result.p_value == pytest.approx(p_value, rel=1e-9)


@pytest.mark.parametrize(("seed", "users", "shift"), CASES)
def test_agrees_with_the_area_under_the_distribution(seed, users, shift):
    """With ``t = sqrt(freedom) * tan(angle)`` its density is a power of the cosine."""
    first, second = pairs(seed, users, shift)
    difference, freedom = first - second, users - 1
    t = difference.mean() / (difference.std(ddof=1) / math.sqrt(users))

    def area(start):
        angles = np.linspace(start, math.pi / 2, 400_001)
        return np.trapezoid(np.cos(angles) ** (freedom - 1), angles)

    expected = area(math.atan(abs(t) / math.sqrt(freedom))) / area(0.0)
    result = paired_t_test(first, second)
    assert result.difference == pytest.approx(difference.mean(), rel=1e-12)
    assert result.p_value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("seed", "users", "shift"), CASES)
def test_agrees_with_scipy(seed, users, shift):
    stats = pytest.importorskip("scipy.stats")
    first, second = pairs(seed, users, shift)
    expected = stats.ttest_rel(first, second).pvalue
    assert paired_t_test(first, second).p_value == pytest.approx(expected, rel=1e-9)


def test_the_order_of_the_two_changes_only_the_sign():
    first, second = pairs(0, 50, 0.2)
    one, other = paired_t_test(first, second), paired_t_test(second, first)
    assert (one.difference, one.p_value) == (-other.difference, other.p_value)


def test_single_precision_gains_are_compared_in_double():
    first, second = (row.astype("float32") for row in pairs(0, 50, 0.2))
    doubles = paired_t_test(first.astype("float64"), second.astype("float64"))
    assert paired_t_test(first, second) == doubles


@pytest.mark.parametrize(
    ("first", "second"),
    [([1.0], [2.0]), ([], []), ([1.0, 2.0], [1.0]), ([[1.0, 2.0]], [[1.0, 2.0]])],
)
def test_rows_that_are_no_pairs_are_refused(first, second):
    with pytest.raises(ValueError, match="at least two users"):
        paired_t_test(np.array(first), np.array(second))
