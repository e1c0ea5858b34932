"""How sure a mean over users is, and whether one model is better than another, user by user."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class PairedTest:
    """Result of `paired_t_test`.

    Attributes:
        difference: Mean of first minus second.
        p_value: Two-sided; how likely a difference of this size is if there is none.
    """

    difference: float
    p_value: float


def confidence_interval(
    values: np.ndarray, users: np.ndarray | None = None, z: float = 1.96
) -> tuple[float, float]:
    """Where the mean of a metric lies, by its standard error over users and Student's t.

    Args:
        values: ``(n,)`` metric of each user, or of each target.
        users: ``(n,)`` whose target each is, where a user may have several: those of one user are
            no independent observations.
        z: Standard errors to each side if there are many users; 1.96 for 95%. Of few, as many more
            as it takes to be as sure.

    Returns:
        Lower and upper end, not beyond the least and the largest of the values; NaN where nothing
        tells how much they vary: of one user, or if all are the same.

    Example:
    >>> low, high = confidence_interval(np.array([0.0, 1.0] * 50))
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)
    """
    from scipy import special  # Here, because it takes a while, and not everyone needs it.

    values = np.asarray(values, dtype=np.float64)
    mean, (error, freedom) = values.mean(), _standard_error(values, users)
    if not error:
        return math.nan, math.nan
    reach = special.stdtrit(freedom, special.ndtr(z)) * error
    low, high = np.clip((mean - reach, mean + reach), values.min(), values.max())
    return float(low), float(high)


def paired_t_test(
    first: np.ndarray, second: np.ndarray, users: np.ndarray | None = None
) -> PairedTest:
    """Student's t-test on the differences of pairs; where all differences are the same, the sign
    test, as nothing tells how much they vary.

    Args:
        first: ``(n,)`` metric of each user, or of each target, under one model.
        second: ``(n,)`` the same under another.
        users: ``(n,)`` whose target each is, where a user may have several.

    Raises:
        ValueError: If the shapes differ or there are fewer than two pairs.

    Example:
    >>> result = paired_t_test(np.array([1.0, 2.0, 3.0, 5.0]), np.array([0.0, 0.0, 2.0, 1.0]))
    >>> round(result.difference, 2), round(result.p_value, 3)
    (2.0, 0.066)
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"Two rows of the same users are needed, at least two users; got {first.shape} and "
            f"{second.shape}."
        )
    from scipy import special

    mean = float((first - second).mean())
    error, freedom = _standard_error(first - second, users)
    if not error:
        return PairedTest(mean, 1.0 if mean == 0.0 else 0.5**freedom)
    return PairedTest(mean, float(2 * special.stdtr(freedom, -abs(mean / error))))


def holm_correction(p_values: Sequence[float]) -> list[float]:
    """P-values of several tests together: the chance that any of them errs stays below the level at
    which they are read (Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979).

    Args:
        p_values: Of each test by itself.

    Returns:
        As many, none smaller.

    Example:
    >>> holm_correction([0.04, 0.01, 0.5])
    [0.08, 0.03, 0.5]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    ascending = np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * factors)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(ascending, 1.0)
    return corrected.tolist()


def _standard_error(values: np.ndarray, users: np.ndarray | None) -> tuple[float, int]:
    """Of the mean, and its degrees of freedom; robust to what values of one user have in common
    (Cameron and Miller, A Practitioner's Guide to Cluster-Robust Inference, 2015, Sec. II)."""
    residuals = values - values.mean()
    # What rounding leaves where all are the same.
    residuals[np.abs(residuals) <= 1e-12 * np.abs(values).max()] = 0.0
    if users is not None:
        _, owners = np.unique(users, return_inverse=True)
        residuals = np.bincount(owners, residuals)
    freedom = len(residuals) - 1
    if not freedom:
        return 0.0, 0
    variance = (residuals**2).sum() * len(residuals) / freedom
    return math.sqrt(variance) / len(values), freedom
