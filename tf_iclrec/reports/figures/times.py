"""From when to when a log goes, and which times look wrong."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.times import parse_time
from tf_iclrec.reports.figures.user_parts import repeats_previous, user_parts

_EARLY = parse_time("1971-01-01")
_LATE = parse_time("2100-01-01")


@dataclasses.dataclass(frozen=True)
class TimeFigures:
    """Times of a log.

    Attributes:
        first: The earliest, in microseconds since 1970.
        last: The latest.
        tied: Number of interactions that have the time of another one of the user.
        early: Number of interactions before 1971, where small numbers end that are no dates.
        late: Number of interactions from 2100 on.

    Example:
    >>> import pandas as pd
    >>> from tf_iclrec import load_interactions
    >>> frame = pd.DataFrame({"user_id": "ann", "item_id": list("abc"), "timestamp": [5, 5, 9]})
    >>> TimeFigures.of(load_interactions(frame))
    TimeFigures(first=5000000, last=9000000, tied=2, early=3, late=0)
    """

    first: int
    last: int
    tied: int
    early: int
    late: int

    @classmethod
    def of(cls, log: Interactions) -> TimeFigures | None:
        """Counted in one pass over the log; None if no time is known."""
        if log.times is None or not log.num_actions:
            return None
        found = np.array([_figures(part) for part in user_parts(log) if part.num_actions])
        first, last = int(found[:, 0].min()), int(found[:, 1].max())
        return cls(first, last, *found[:, 2:].sum(axis=0).tolist())


def _figures(part: Interactions) -> tuple[int, ...]:
    times = part.times
    tied = repeats_previous(times, part.offsets)
    tied[:-1] |= tied[1:]
    counts = (tied, times < _EARLY, times >= _LATE)
    return times.min(), times.max(), *map(np.count_nonzero, counts)
