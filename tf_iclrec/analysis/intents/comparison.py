"""Two runs' intents: which stayed, split, merged, appeared and vanished."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

Fate = Literal["stayed", "split", "merged", "vanished", "appeared"]

# Intents are the same, or one comes from another, where so many of the users are shared.
_MOST = 0.5
# A part of a split or a merger has at least so many.
_PART = 0.2


@dataclasses.dataclass(frozen=True)
class Change:
    """What became of some intents.

    Attributes:
        fate: What happened.
        before: The earlier run's intents: several where they merged, none where one appeared.
        after: This run's: several where one split, none where one vanished.
        users: Users in common who have one of ``before`` and one of ``after``; of an intent that
            appeared or vanished, its users in common.
        overlap: Those, as a share of the users who have one of either (the Jaccard index); 0
            where one appeared or vanished.
    """

    fate: Fate
    before: tuple[int, ...]
    after: tuple[int, ...]
    users: int
    overlap: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Intents of two runs, by the users whom both know.

    Attributes:
        num_users: Users in common.
        counts: ``(K of the earlier run, K)`` int64 users by their two intents.
        agreement: The adjusted Rand index of the two: 1 for the same groups, 0 for what chance
            gives.
        matches: ``(min(K, K), 2)`` int64 pairs of an earlier and a present intent, matched so that
            the sum of their Jaccard indices is the largest.
        overlaps: ``(min(K, K),)`` these indices.
        changes: What became of each intent that has users in common.
    """

    num_users: int
    counts: np.ndarray
    agreement: float
    matches: np.ndarray
    overlaps: np.ndarray
    changes: list[Change]

    @classmethod
    def of(cls, before: np.ndarray, after: np.ndarray, k_before: int, k_after: int) -> Comparison:
        """From the two intents ``(n,)`` of the same users.

        Example: the first intent stayed, the second split in two.
        >>> before, after = np.array([0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 2, 2])
        >>> found = Comparison.of(before, after, 2, 3)
        >>> [(one.fate, one.before, one.after) for one in found.changes]
        [('stayed', (0,), (0,)), ('split', (1,), (1, 2))]
        """
        from scipy.optimize import linear_sum_assignment

        pairs = np.asarray(before, dtype=np.int64) * k_after + after
        counts = np.bincount(pairs, minlength=k_before * k_after).reshape(k_before, k_after)
        either = counts.sum(axis=1)[:, np.newaxis] + counts.sum(axis=0) - counts
        jaccard = counts / np.maximum(either, 1)
        matches = np.stack(linear_sum_assignment(jaccard, maximize=True), axis=1)
        overlaps = jaccard[tuple(matches.T)]
        changes = changes_of(counts, matches)
        return cls(len(pairs), counts, adjusted_rand(counts), matches, overlaps, changes)


def changes_of(counts: np.ndarray, matches: np.ndarray) -> list[Change]:
    """What became of each intent, by how many users go from which to which.

    After MONIC (Spiliopoulou et al., KDD 2006). An intent split in those that have a fifth of its
    users each and half of them together, and take half of their own users from it; intents merged
    where the same holds backwards. Of those left, a matched pair stayed if the users it shares are
    half of both; the others vanished or appeared.

    Args:
        counts: ``(K before, K after)`` users by their two intents.
        matches: ``(pairs, 2)`` the intents that are matched.
    """
    of_before = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    of_after = counts / np.maximum(counts.sum(axis=0, keepdims=True), 1)
    children = (of_before >= _PART) & (of_after >= _MOST)
    parents = (of_after >= _PART) & (of_before >= _MOST)
    is_split = (children.sum(axis=1) > 1) & ((of_before * children).sum(axis=1) >= _MOST)
    is_merger = (parents.sum(axis=0) > 1) & ((of_after * parents).sum(axis=0) >= _MOST)
    groups: list[tuple[Fate, np.ndarray, np.ndarray]] = [
        ("split", np.array([one]), np.flatnonzero(children[one]))
        for one in np.flatnonzero(is_split)
    ]
    groups += [
        ("merged", np.flatnonzero(parents[:, one]), np.array([one]))
        for one in np.flatnonzero(is_merger)
    ]
    stayed = (of_before >= _MOST) & (of_after >= _MOST)
    used_before, used_after = set(), set()
    for _, some, others in groups:
        used_before |= set(some.tolist())
        used_after |= set(others.tolist())
    for one, other in matches.tolist():
        if stayed[one, other] and one not in used_before and other not in used_after:
            groups.append(("stayed", np.array([one]), np.array([other])))
            used_before.add(one)
            used_after.add(other)
    nothing = np.zeros(0, dtype=np.int64)
    has_users = np.flatnonzero(counts.sum(axis=1)), np.flatnonzero(counts.sum(axis=0))
    gone, new = (
        [one for one in some.tolist() if one not in used]
        for some, used in zip(has_users, (used_before, used_after), strict=True)
    )
    groups += [("vanished", np.array([one]), nothing) for one in gone]
    groups += [("appeared", nothing, np.array([one])) for one in new]
    changes = [_change(counts, *group) for group in groups]
    return sorted(changes, key=lambda one: (not one.before, one.before, one.after))


def _change(counts: np.ndarray, fate: Fate, before: np.ndarray, after: np.ndarray) -> Change:
    both = int(counts[np.ix_(before, after)].sum())
    either = int(counts[before].sum() + counts[:, after].sum()) - both
    is_both = len(before) and len(after)
    overlap = both / either if is_both else 0.0
    users = both if is_both else either
    return Change(fate, tuple(before.tolist()), tuple(after.tolist()), users, overlap)


def adjusted_rand(counts: np.ndarray) -> float:
    """Agreement of two groupings, by the table of their counts (Hubert and Arabie, 1985, Eq. 5).

    Example:
    >>> [round(adjusted_rand(np.array(one)), 3) for one in ([[3, 0], [0, 4]], [[2, 1], [1, 2]])]
    [1.0, -0.111]
    """

    def pairs(numbers: np.ndarray) -> float:
        return float((numbers * (numbers - 1.0) / 2).sum())

    both, rows, columns = (pairs(x) for x in (counts, counts.sum(axis=1), counts.sum(axis=0)))
    expected = rows * columns / max(pairs(counts.sum()), 1.0)
    most = (rows + columns) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0
