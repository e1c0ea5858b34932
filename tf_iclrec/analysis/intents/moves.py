"""How users move between intents while their histories grow."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_iclrec.analysis.intents.assignment import Assignment, encoded
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.split import Split
from tf_iclrec.models.recommender import Recommender

if TYPE_CHECKING:
    import pyarrow as pa

# Parts of a history after which its intent is looked at.
PARTS = (0.25, 0.5, 0.75, 1.0)
# Of more users, so many are drawn, always the same ones.
_MOST_USERS = 250_000


@dataclasses.dataclass(frozen=True)
class Moves:
    """Users by intent before and after each step of their histories.

    Attributes:
        parts: The ends of the steps, as shares of each history.
        counts: ``(len(parts) - 1, K, K)`` int64 users; the intent before is the row, the one after
            is the column.

    Example:
    >>> moves = Moves((0.5, 1.0), np.array([[[6, 2], [0, 2]]]))
    >>> moves.num_users, moves.stay.tolist(), moves.stay_by_chance.tolist()
    (10, [0.8], [0.56])
    """

    parts: tuple[float, ...]
    counts: np.ndarray

    @property
    def num_users(self) -> int:
        """Users whose histories are long enough, or those of them that were drawn."""
        return int(self.counts[0].sum())

    @property
    def stay(self) -> np.ndarray:
        """``(len(parts) - 1,)`` share of users whose intent is the same after a step."""
        return np.einsum("skk->s", self.counts) / max(self.num_users, 1)

    @property
    def stay_by_chance(self) -> np.ndarray:
        """The same if intents after a step had nothing to do with those before it."""
        before, after = self.counts.sum(axis=2), self.counts.sum(axis=1)
        return (before * after).sum(axis=1) / max(self.num_users, 1) ** 2

    @property
    def steps(self) -> list[tuple[float, float, float, float]]:
        """Of each step the parts before and after it, `stay` and `stay_by_chance`."""
        shares = self.stay.tolist(), self.stay_by_chance.tolist()
        return list(zip(self.parts[:-1], self.parts[1:], *shares, strict=True))

    def table(self) -> pa.Table:
        """A row for each move that occurs: ``from_part``, ``to_part``, ``from_intent``,
        ``to_intent`` and ``users``."""
        import pyarrow as pa

        steps, before, after = np.nonzero(self.counts)
        parts = np.array(self.parts)
        return pa.table(
            {
                "from_part": parts[steps],
                "to_part": parts[steps + 1],
                "from_intent": before.astype(np.int32),
                "to_intent": after.astype(np.int32),
                "users": self.counts[steps, before, after],
            }
        )


def moves_of(model: Recommender, split: Split, assignment: Assignment) -> Moves:
    """The moves of users, by the intents of the first parts of their histories.

    Args:
        model: With intents.
        split: What it was trained on.
        assignment: Intents by the whole histories.

    Returns:
        The moves of users with at least an item for each part.
    """
    rows = np.flatnonzero(assignment.histories.lengths >= len(PARTS))
    rows = rows[sampled_rows(len(rows), _MOST_USERS)]
    whole = assignment.histories.rows(rows)
    at = [
        *_intents_after(model, split, assignment.users[rows], whole, PARTS[:-1]),
        assignment.intents[rows],
    ]
    k = assignment.num_intents
    pairs = [before.astype(np.int64) * k + after for before, after in itertools.pairwise(at)]
    counts = np.stack([np.bincount(one, minlength=k * k).reshape(k, k) for one in pairs])
    return Moves(PARTS, counts)


def _intents_after(model, split, users, whole, parts: Sequence[float]) -> list[np.ndarray]:
    """The intents after each part, ``(users,)`` int32: all in one go, which is traced once."""
    if not len(users):
        return [np.zeros(0, dtype=np.int32)] * len(parts)
    ends = [whole.starts + np.ceil(part * whole.lengths).astype(np.int64) for part in parts]
    starts = np.tile(whole.starts, len(parts))
    beginnings = dataclasses.replace(whole, starts=starts, ends=np.concatenate(ends))
    [intents] = encoded(
        model,
        split,
        np.tile(users, len(parts)),
        beginnings,
        lambda vectors: (tf.cast(model.intents(vectors)[0][0], tf.int32),),
    )
    return np.split(intents, len(parts))
