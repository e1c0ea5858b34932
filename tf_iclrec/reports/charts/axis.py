"""An axis of a chart: from values to places on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

_TICKS = 4


@dataclasses.dataclass(frozen=True)
class Axis:
    """A range of numbers.

    Attributes:
        low: Where it starts.
        high: Where it ends.
        log: Whether equal ratios are equally long, instead of equal differences.
        step: Distance of the ticks, unless ``log``.

    Example:
    >>> axis = Axis.over([0, 90])
    >>> axis.ticks(), axis.places([0, 50]).tolist()
    ([0.0, 50.0, 100.0], [0.0, 0.5])
    >>> Axis.over([1, 2, 3]).ticks()  # Whole numbers have none between them.
    [1.0, 2.0, 3.0]
    >>> Axis.over([3, 2000], log=True).ticks(), Axis.over([3, 60], log=True).ticks()
    ([10.0, 100.0, 1000.0], [5.0, 10.0, 20.0, 50.0])
    """

    low: float
    high: float
    log: bool = False
    step: float = 1.0

    @classmethod
    def over(cls, values: Sequence[float] | np.ndarray, log: bool = False) -> Axis:
        """An axis on which all of ``values`` have a place; they are positive for ``log``."""
        values = np.asarray(values)
        low, high = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
        if log:
            return cls(low, max(high, low * 10), log=True)
        step = _round_step((high - low or abs(high) or 1.0) / _TICKS)
        if np.issubdtype(values.dtype, np.integer):
            step = max(step, 1.0)
        low = math.floor(low / step) * step
        return cls(low, max(math.ceil(high / step) * step, low + step), step=step)

    def places(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Where values stand, float64: 0 at the start of the axis, 1 at its end."""
        low, high, values = self.low, self.high, np.asarray(values, dtype=np.float64)
        if self.log:
            low, high, values = math.log(low), math.log(high), np.log(values)
        return (values - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round numbers along the axis."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), 1 + math.floor(math.log10(self.high)))
            for factors in ((1,), (1, 2, 5)):
                ticks = [factor * 10.0**power for power in powers for factor in factors]
                ticks = [tick for tick in ticks if self.low <= tick <= self.high]
                if len(ticks) > 1:
                    break
            return ticks
        number = round((self.high - self.low) / self.step)
        return [self.low + index * self.step for index in range(number + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)
