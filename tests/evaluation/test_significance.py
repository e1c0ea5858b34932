import math

import numpy as np
import pytest
import scipy.stats

from tf_iclrec import paired_t_test
from tf_iclrec.evaluation.significance import confidence_interval


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
        # Two of eight ways to give them signs.
        ([1.0, 1.0, 1.0], 0.25),
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
    first, second = pairs(seed, users, shift)
    expected = scipy.stats.ttest_rel(first, second).pvalue
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


def test_interval_by_hand():
    # Mean 2, and a variance of 8 / 3 with three degrees of freedom.
    low, high = confidence_interval(np.array([0.0, 2.0, 2.0, 4.0]), z=1.0)
    # As sure as one standard error of the normal distribution is.
    reach = scipy.stats.t.ppf(scipy.stats.norm.cdf(1.0), 3) * math.sqrt(8 / 3 / 4)
    assert (low, high) == pytest.approx((2 - reach, 2 + reach))


@pytest.mark.parametrize("values", [[0.5], [0.0] * 50])
def test_nothing_tells_how_much_values_vary_that_do_not(values):
    assert np.isnan(confidence_interval(np.array(values))).all()
    assert np.isnan(confidence_interval(np.array([0.0, 1.0]), np.array([7, 7]))).all()


def test_interval_does_not_leave_the_values():
    assert confidence_interval(np.array([0.0] * 99 + [1.0]))[0] == 0.0


def test_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [
        low <= 0.5 <= high
        for low, high in (confidence_interval(rng.random(300)) for _ in range(2000))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_targets_of_one_user_count_as_one_observation():
    rng = np.random.default_rng(0)
    first, second = pairs(0, 40, 0.2)
    copies = np.repeat(np.arange(40), 3)
    alone = confidence_interval(first)
    assert confidence_interval(first[copies], copies) == pytest.approx(alone)
    many = paired_t_test(first[copies], second[copies], copies)
    once = paired_t_test(first, second)
    assert many.difference == pytest.approx(once.difference)
    assert many.p_value == pytest.approx(once.p_value)
    # With independent targets it makes no difference to speak of.
    values, users = rng.normal(size=4000), np.arange(4000) // 2
    widths = [np.diff(confidence_interval(values, of))[0] for of in (None, users)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_targets_of_a_single_user_tell_nothing():
    assert paired_t_test(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([7, 7])).p_value == 1


@pytest.mark.parametrize("number", [3, 7, 10])
@pytest.mark.parametrize("users", [None, "own"])
def test_rounding_is_no_variation(number, users):
    users = None if users is None else np.arange(number)
    same = np.full(number, 0.1)
    assert np.isnan(confidence_interval(same, users)).all()
    assert paired_t_test(same, np.zeros(number), users).p_value == 0.5 ** (number - 1)
