"""What the timing benchmarks share."""

import time
from collections.abc import Callable


def timed(run: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
