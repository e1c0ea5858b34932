"""What is typical of groups of users: items and values that theirs have more often than others'."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.arrays import blocks_of_rows
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

if TYPE_CHECKING:
    from scipy import sparse

ITEM = "item"


@dataclasses.dataclass(frozen=True)
class TypicalValue:
    """Something that the users of an intent have more often than others.

    Attributes:
        kind: ``"item"``, or the name of the attribute or label, ``"provider"`` for providers.
        value: The raw item id, or the value.
        title: How to call it.
        users: Users of the intent who have it; of a value, who have more of it than users on
            average.
        share: The same as a share of the users of the intent.
        lift: That share in relation to the share among all users.
        least_lift: The lower end of the 95% interval of the lift, by which it is ranked.
        p_value: Of the hypergeometric test that the intent's users were drawn at random,
            adjusted for the number of comparisons.
    """

    kind: str
    value: str
    title: str
    users: int
    share: float
    lift: float
    least_lift: float
    p_value: float


@dataclasses.dataclass(frozen=True)
class Lifts:
    """Figures of pairs of a group and a value, ``(pairs,)`` each, by group and the most typical
    first: see `TypicalValue`."""

    groups: np.ndarray
    values: np.ndarray
    users: np.ndarray
    lifts: np.ndarray
    least_lifts: np.ndarray
    p_values: np.ndarray

    def first(self, most: int) -> Lifts:
        """Of each group the first pairs."""
        starts = np.searchsorted(self.groups, self.groups)
        kept = np.arange(len(self.groups)) - starts < most
        return Lifts(*(getattr(self, field.name)[kept] for field in dataclasses.fields(self)))


def users_of_values(
    histories: Histories,
    ids_of: np.ndarray | None,
    size: int,
    groups: np.ndarray,
    num_groups: int,
    above_average: bool,
) -> sparse.csr_matrix:
    """How many users of each group have each value, ``(groups, values)``.

    The user is what is counted, because the interactions of one are no independent observations.
    Every user has some of a frequent value, so there is a choice: a user counts who has it at all,
    or who has more of it, as a share of what is known of the own interactions, than users have on
    average. Of a rare value the two are the same.

    Args:
        histories: ``n``, one for each user.
        ids_of: Internal id of the value by internal id in the histories; None: these themselves.
        size: Number of values.
        groups: ``(n,)`` of each user.
        num_groups: Number of groups.
        above_average: Whether the users count who have more of it than users on average.

    Example: of the first value users have 0.72 on average, so that the third, with 2/3, has less.
    >>> ids = np.array([3, 4, 3, 3, 3, 4], dtype=np.int32)
    >>> histories = Histories(ids, np.array([0, 2, 3]), np.array([2, 3, 6]))
    >>> groups = np.array([0, 1, 1])
    >>> users_of_values(histories, None, 2, groups, 2, True).toarray().astype(int).tolist()
    [[0, 1], [1, 1]]
    >>> users_of_values(histories, None, 2, groups, 2, False).toarray().astype(int).tolist()
    [[1, 1], [2, 1]]
    """
    from scipy import sparse

    threshold = np.zeros(size)
    if above_average:
        total = np.zeros(size)
        known = 0
        for _, shares in _shares_of_users(histories, ids_of, size):
            total += np.asarray(shares.sum(axis=0))[0]
            known += int((np.diff(shares.indptr) > 0).sum())
        # Of shares that are all the same, rounding would make half of them larger.
        threshold = total / max(known, 1) * (1 + 1e-9)
    result = sparse.csr_matrix((num_groups, size))
    for rows, shares in _shares_of_users(histories, ids_of, size):
        shares.data = (shares.data > threshold[shares.indices]).astype(np.float64)
        number = len(rows)
        of_group = sparse.csr_matrix(
            (np.ones(number), (groups[rows], np.arange(number))), (num_groups, number)
        )
        result = result + of_group @ shares
    result.eliminate_zeros()
    return result


def _shares_of_users(
    histories: Histories, ids_of: np.ndarray | None, size: int
) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
    """Of some users at a time their rows, and the share of each value in what is known of their
    interactions, ``(users, values)``."""
    from scipy import sparse

    for users in blocks_of_rows(np.concatenate([[0], np.cumsum(histories.lengths)])):
        rows = np.arange(users.start, users.stop)
        joined = histories.rows(rows).joined()
        ids = joined.item_ids if ids_of is None else ids_of[joined.item_ids]
        known = ids >= NUM_SPECIAL_IDS
        ids, owners = ids[known] - NUM_SPECIAL_IDS, joined.owners[known]
        weights = 1.0 / np.bincount(owners, minlength=len(rows))[owners]
        yield rows, sparse.coo_matrix((weights, (owners, ids)), (len(rows), size)).tocsr()


def lifts(users: sparse.csr_matrix, sizes: np.ndarray, significance: float = 0.05) -> Lifts:
    """The values that are typical of groups, each in relation to chance.

    Of the ``n`` users of a group ``x`` have a value that ``m`` of all ``N`` users have; the lift
    is ``(x / n) / (m / N)``. If the group were drawn at random, ``x`` would be hypergeometric: the
    test is Fisher's, one-sided. The p-values of all groups and values are adjusted together after
    Benjamini and Hochberg (1995), so that among what is called typical a share of at most
    ``significance`` is chance. What remains is ranked by the lower end of the 95% interval of the
    lift, ``Gamma(x + 1/2, nm/N + 1/2)`` (Norén et al., Statistical Methods in Medical Research
    2013): three users of three do not win over three hundred of four hundred.

    Intents are found in the same histories: the test says which values are typical of one, not
    that intents exist.

    Args:
        users: ``(groups, values)`` number of users of a group who have a value.
        sizes: ``(groups,)`` number of users.
        significance: The largest adjusted p-value.

    Example:
    >>> from scipy import sparse
    >>> found = lifts(sparse.csr_matrix([[9.0, 5.0], [1.0, 5.0]]), np.array([10, 10]))
    >>> found.groups.tolist(), found.values.tolist(), found.lifts.tolist()
    ([0], [0], [1.8])
    """
    from scipy import special
    from scipy.stats import hypergeom

    pairs = users.tocoo()
    groups, values, x = pairs.row, pairs.col, pairs.data
    n, m, total = sizes[groups], np.asarray(users.sum(axis=0))[0][values], sizes.sum()
    p_values = np.asarray(hypergeom.sf(x - 1, total, m, n))
    # Pairs that were never seen were compared too.
    compared = int((sizes > 0).sum()) * len(np.unique(values))
    p_values = benjamini_hochberg(p_values, compared)
    expected = n * m / total
    least = special.gammaincinv(x + 0.5, 0.025) / (expected + 0.5)
    order = np.lexsort((values, -least, groups))
    order = order[(p_values <= significance)[order] & (x > expected)[order]]
    columns = (groups, values, x.astype(np.int64), x / expected, least, p_values)
    return Lifts(*(column[order] for column in columns))


def benjamini_hochberg(p_values: np.ndarray, comparisons: int) -> np.ndarray:
    """P-values ``(n,)`` after Benjamini and Hochberg, where the p-values of the other
    ``comparisons - n`` are 1.

    Example:
    >>> benjamini_hochberg(np.array([0.01, 0.2, 0.02]), 4).round(4).tolist()
    [0.04, 0.2667, 0.04]
    """
    order = np.argsort(p_values)
    scaled = p_values[order] * comparisons / np.arange(1, len(order) + 1)
    result = np.empty(len(order))
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return result


def typical_values(
    found: Lifts, kind: str, names: np.ndarray, titles: Sequence[str], sizes: np.ndarray
) -> list[list[TypicalValue]]:
    """Lifts as lists, one for each group.

    Args:
        found: The lifts.
        kind: Of the values.
        names: ``(values,)`` raw ids.
        titles: ``(values,)`` how to call them.
        sizes: ``(groups,)`` number of users.
    """
    result: list[list[TypicalValue]] = [[] for _ in sizes]
    columns = (getattr(found, field.name).tolist() for field in dataclasses.fields(found))
    for group, value, users, lift, least, p_value in zip(*columns, strict=True):
        share = users / int(sizes[group])
        one = TypicalValue(
            kind, str(names[value]), str(titles[value]), users, share, lift, least, p_value
        )
        result[group].append(one)
    return result
