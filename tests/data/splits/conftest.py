import numpy as np
import pytest

from tf_iclrec import Interactions


@pytest.fixture(scope="session")
def timed_log():
    """A function that makes a log whose times are small whole numbers of days, so that many are the
    same; a user may have a single item."""

    def make(seed: int, users: int = 30, items: int = 12, days: int = 20) -> Interactions:
        rng = np.random.default_rng(seed)
        lengths = rng.integers(1, 9, size=users)
        codes = np.repeat(np.arange(users), lengths)
        times = rng.integers(1, days, size=len(codes))
        times = times[np.lexsort((times, codes))] * 86_400_000_000
        raw = np.array([f"i{item}" for item in rng.integers(items, size=len(codes))])
        return Interactions.from_columns(codes, [f"u{user}" for user in range(users)], raw, times)

    return make
