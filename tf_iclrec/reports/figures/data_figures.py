"""All figures of a log, each computed when it is asked for first."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.reports.figures.activity import Activity
from tf_iclrec.reports.figures.popularity import Popularity
from tf_iclrec.reports.figures.providers import ProviderFigures
from tf_iclrec.reports.figures.ratings import RatingFigures
from tf_iclrec.reports.figures.repeats import Repeats
from tf_iclrec.reports.figures.times import TimeFigures
from tf_iclrec.reports.figures.user_parts import user_parts


@dataclasses.dataclass(frozen=True)
class DataFigures:
    """What a report says of a log and what its warnings are based on.

    Memory is bounded by the numbers of users and items, however many interactions there are.

    Attributes:
        log: The log, whose arrays may lie on disk.

    Example:
    >>> figures = DataFigures(Interactions.from_sequences({"ann": ["tea", "jam", "tea"]}))
    >>> figures.popularity.counts.tolist(), figures.repeats.repeated, figures.times
    ([1, 2], 1, None)
    """

    log: Interactions

    @functools.cached_property
    def popularity(self) -> Popularity:
        """Of the items."""
        counts = np.zeros(self.log.items.size, dtype=np.int64)
        for part in user_parts(self.log):
            counts += np.bincount(part.item_ids, minlength=len(counts))
        return Popularity(counts[NUM_SPECIAL_IDS:])

    @functools.cached_property
    def repeats(self) -> Repeats:
        """Interactions with an item that the user had before."""
        return Repeats.of(self.log)

    @functools.cached_property
    def times(self) -> TimeFigures | None:
        """Where times are known."""
        return TimeFigures.of(self.log)

    @functools.cached_property
    def activity(self) -> Activity | None:
        """Interactions over time, where times are known."""
        return self.times and Activity.of(self.log)

    @functools.cached_property
    def providers(self) -> ProviderFigures | None:
        """Where providers are known."""
        return ProviderFigures.of(self.log)

    @functools.cached_property
    def ratings(self) -> RatingFigures | None:
        """Where ratings are known."""
        return RatingFigures.of(self.log)
