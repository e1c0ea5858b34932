"""Whether one model is better than another, user by user."""

import dataclasses
import math

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class PairedTest:
    """Result of `paired_t_test`.

    Attributes:
        difference: Mean of first minus second.
        p_value: Two-sided; how likely a difference of this size is if there is none.
    """

    difference: float
    p_value: float


def paired_t_test(first: np.ndarray, second: np.ndarray) -> PairedTest:
    """Student's t-test on the differences of pairs.

    Args:
        first: ``(users,)`` metric of each user under one model.
        second: ``(users,)`` the same under another.

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
    differences = first - second
    mean, freedom = float(differences.mean()), len(differences) - 1
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    if error == 0.0:
        return PairedTest(mean, 1.0 if mean == 0.0 else 0.0)
    # The tail of Student's t as an incomplete beta function.
    tail = tf.math.betainc(
        tf.constant(freedom / 2, tf.float64),
        tf.constant(0.5, tf.float64),
        tf.constant(freedom / (freedom + (mean / error) ** 2), tf.float64),
    )
    return PairedTest(mean, float(tail))
