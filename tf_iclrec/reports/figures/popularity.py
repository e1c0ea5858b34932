"""How unevenly interactions fall on items, or on providers."""

import dataclasses
import functools
import math

import numpy as np

from tf_iclrec.evaluation.lists.gini import gini_index


@dataclasses.dataclass(frozen=True)
class Popularity:
    """Who gets how much.

    Attributes:
        counts: ``(n,)`` number of interactions of each.

    Example:
    >>> popularity = Popularity(np.array([1, 7, 2]))
    >>> popularity.share_of_top(0.01), round(popularity.gini, 3), popularity.order.tolist()
    (0.7, 0.6, [1, 2, 0])
    """

    counts: np.ndarray

    @functools.cached_property
    def order(self) -> np.ndarray:
        """``(n,)`` int64, from the most popular to the least; equal ones in their order."""
        return np.argsort(-self.counts, kind="stable")

    @property
    def gini(self) -> float:
        """The Gini index, of the same definition as that of lists; 0 where nobody has anything."""
        return gini_index(self.counts) if self.counts.any() else 0.0

    def share_of_top(self, share: float) -> float:
        """The part of all interactions that the most popular ``share`` of them has, one at
        least."""
        top = self.order[: max(1, round(share * len(self.counts)))]
        return float(self.counts[top].sum() / max(self.counts.sum(), 1))

    def curve(self, points: int = 100) -> tuple[np.ndarray, np.ndarray]:
        """Some ranks from 1 on, ever further from each other, and the counts there.

        Without those that have nothing, which a logarithmic axis can't show.
        """
        having = int(np.count_nonzero(self.counts))
        if not having:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        steps = np.linspace(0, math.log(having), points)
        ranks = np.unique(np.round(np.exp(steps)).astype(np.int64))
        return ranks, self.counts[self.order[ranks - 1]]
