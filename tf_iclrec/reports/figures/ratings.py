"""Which ratings were given."""

from __future__ import annotations

import dataclasses

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.reports.figures.user_parts import user_parts

_BARS = 20


@dataclasses.dataclass(frozen=True)
class RatingFigures:
    """Ratings of a log.

    Attributes:
        known: Number of interactions with a rating; NaN is none.
        mean: Of these.
        labels: Each rating, or where there are more than 20 the lower end of a range.
        counts: ``(labels,)`` int64.

    Example:
    >>> import dataclasses
    >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"]})
    >>> log = dataclasses.replace(log, ratings=np.array([4, 5, 4], dtype=np.float32))
    >>> figures = RatingFigures.of(log)
    >>> figures.labels, figures.counts.tolist(), round(figures.mean, 2)
    (['4', '5'], [2, 1], 4.33)
    """

    known: int
    mean: float
    labels: list[str]
    counts: np.ndarray

    @classmethod
    def of(cls, log: Interactions) -> RatingFigures | None:
        """Counted in two passes over the log; None without ratings."""
        if log.ratings is None:
            return None
        known, total, values = 0, 0.0, np.zeros(0, dtype=np.float32)
        for ratings in _known_ratings(log):
            known += len(ratings)
            total += float(ratings.sum(dtype=np.float64))
            values = np.union1d(values, ratings)
            if len(values) > _BARS:  # The ends alone matter then.
                values = np.linspace(values[0], values[-1], _BARS + 1, dtype=np.float64)
        if not known:
            return None
        # A bar for a value ends before the next; the last one has none after it.
        edges = values if len(values) > _BARS else np.append(values, values[-1] + 1)
        counts = sum(np.histogram(part, edges)[0] for part in _known_ratings(log))
        return cls(known, total / known, [f"{edge:.4g}" for edge in edges[:-1]], counts)


def _known_ratings(log: Interactions):
    for part in user_parts(log):
        yield part.ratings[np.isfinite(part.ratings)]
