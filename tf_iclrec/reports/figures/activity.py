"""How many interactions fall into each hour, day, week, month or year."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.times import parse_time
from tf_iclrec.reports.figures.user_parts import user_parts

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_WANTED_BARS = 60
# Times outside are mistakes; drawn, they would leave everything else one bar.
_DRAWN = (parse_time("1900-01-01"), parse_time("2100-01-01"))
_MONDAY = parse_time("1970-01-05")


@dataclasses.dataclass(frozen=True)
class _Unit:
    """A stretch of time: so many microseconds or calendar months."""

    name: str
    label: str  # What of a time names it, as NumPy calls it.
    microseconds: int = 0
    months: int = 0

    def numbers(self, times: np.ndarray) -> np.ndarray:
        if self.microseconds:
            return (times - _MONDAY) // self.microseconds
        return times.view("datetime64[us]").astype("datetime64[M]").astype(np.int64) // self.months

    def starts(self, numbers: np.ndarray) -> np.ndarray:
        if self.microseconds:
            return numbers * self.microseconds + _MONDAY
        months = (numbers * self.months).view("datetime64[M]")
        return months.astype("datetime64[us]").astype(np.int64)


_UNITS = (
    _Unit("second", "s", _SECOND),
    _Unit("minute", "m", 60 * _SECOND),
    _Unit("10 minutes", "m", 600 * _SECOND),
    _Unit("hour", "m", _DAY // 24),
    _Unit("6 hours", "m", _DAY // 4),
    _Unit("day", "D", _DAY),
    _Unit("week", "D", 7 * _DAY),
    _Unit("month", "M", months=1),
    _Unit("quarter", "M", months=3),
    _Unit("year", "Y", months=12),
)


@dataclasses.dataclass(frozen=True)
class Activity:
    """Interactions over time.

    Attributes:
        unit: What a bar stands for, such as ``"week"``; chosen so that there are about 60 bars.
        labels: When each begins, in UTC; weeks begin on Mondays.
        counts: ``(bars,)`` int64 number of interactions.
        not_drawn: Number of interactions before 1900 or from 2100 on, which are in no bar.

    Example:
    >>> import pandas as pd
    >>> from tf_iclrec import load_interactions
    >>> days = ["2017-01-01", "2017-01-01", "2017-03-01"]
    >>> frame = pd.DataFrame({"user_id": "ann", "item_id": list("abc"), "timestamp": days})
    >>> activity = Activity.of(load_interactions(frame))
    >>> activity.unit, activity.labels[:2], activity.counts[:2].tolist()
    ('day', ['2017-01-01', '2017-01-02'], [2, 0])
    """

    unit: str
    labels: list[str]
    counts: np.ndarray
    not_drawn: int = 0

    @classmethod
    def of(cls, log: Interactions) -> Activity | None:
        """Counted in two passes over the log; None if it has no time to draw."""
        ranges = [(part.min(), part.max()) for part in _drawn_times(log) if len(part)]
        if not ranges:
            return None
        ends = np.array([min(low for low, _ in ranges), max(high for _, high in ranges)])
        unit = min(_UNITS, key=lambda unit: _misfit(*unit.numbers(ends)))
        first, last = unit.numbers(ends)
        counts = sum(
            np.bincount(unit.numbers(part) - first, minlength=last - first + 1)
            for part in _drawn_times(log)
        )
        starts = unit.starts(np.arange(first, last + 1)).view("datetime64[us]")
        labels = np.datetime_as_string(starts, unit.label, casting="unsafe").tolist()
        return cls(
            unit.name,
            [label.replace("T", " ") for label in labels],
            counts,
            log.num_actions - int(counts.sum()),
        )


def _drawn_times(log: Interactions):
    for part in user_parts(log):
        yield part.times[(part.times >= _DRAWN[0]) & (part.times < _DRAWN[1])]


def _misfit(first: int, last: int) -> float:
    return abs(math.log((last - first + 1) / _WANTED_BARS))
