"""How many intents the users of a log have: as many as predict best what else users take."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.item_attributes import ItemAttribute, special_ids_and
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.training_rows import trainable_users
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, UNKNOWN_ID, Vocabulary
from tf_iclrec.training.intent_clustering import Clusters, kmeans, nearest_centroids
from tf_iclrec.training.spectral_initialization import spectral_vectors

if TYPE_CHECKING:
    from scipy import sparse

# Numbers that are tried, each about the square root of 2 times the one before.
NUMBERS = (2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)
# What is looked at of larger logs.
_MOST_CLUSTERED, _MOST_JUDGED, _MOST_ITEMS = 10_000, 4_000, 20_000
_WIDTH = 32
_STARTS = 3
_ITERATIONS = 10
# No larger number is tried once so many in a row did worse than chance explains.
_PATIENCE = 3


@dataclasses.dataclass(frozen=True)
class NumberOfIntents:
    """What `choose_num_intents` found.

    Attributes:
        number: The number of intents that was chosen.
        tried: ``(n,)`` int64 numbers that were tried.
        gains: ``(n,)`` what each tells of the items of other users: the mean logarithm of an
            item's probability within the user's intent over that among all users.

    Example: four intents tell no more than three.
    >>> print(NumberOfIntents(3, np.array([2, 3, 4]), np.array([0.1, 0.25, 0.25])))
    Intents: 3 (--num-intents auto), the fewest of 2 to 4 that predict users' other items as well
    as any: 0.250 nats an item better than popularity.
    """

    number: int
    tried: np.ndarray
    gains: np.ndarray

    def __str__(self) -> str:
        if not len(self.tried):
            return f"Intents: {self.number}, because there are too few users to compare numbers."
        gain = self.gains[list(self.tried).index(self.number)]
        return (
            f"Intents: {self.number} (--num-intents auto), the fewest of {self.tried[0]} to "
            f"{self.tried[-1]} that predict users' other items as well as any: {gain:.3f} nats an "
            "item better than popularity."
        )


def choose_num_intents(split: Split, seed: int = 0) -> NumberOfIntents:
    """The number of intents that fits the training part of a log, before any model is trained.

    A user is the mean of the items' `spectral_vectors`, at length 1. K-means finds intents among
    four fifths of the users, each as a distribution of items (counts, smoothed by those of all
    users after Dirichlet; Zhai and Lafferty, TOIS 2004). Every other item of the remaining users
    says which intent they have, and the items between are predicted by it. Too few intents say
    less than there is to say, too many are estimated from too few users. The smallest number is
    taken whose mean is within a standard error, of the difference by user, of the best one's.

    The cost is bounded: 10,000 users are clustered and 4,000 judged, by the 20,000 most frequent
    items.

    Args:
        split: The log, of which the training part is read.
        seed: Seed of the choice of users and of the first centroids.

    Example: four groups of users who have no item in common.
    >>> from tf_iclrec import leave_one_out
    >>> from tf_iclrec.data.synthetic import planted_intents
    >>> log, _ = planted_intents(num_users=400, num_items=80, num_intents=4, noise=0.0)
    >>> choose_num_intents(leave_one_out(log)).number
    4
    """
    users = np.random.default_rng(seed).permutation(trainable_users(split))
    number_judged = min(len(users) // 5, _MOST_JUDGED)
    judged, others = np.sort(users[:number_judged]), np.sort(users[number_judged:])
    numbers = [k for k in NUMBERS if k <= len(others) // 4]
    if not numbers or not number_judged:
        return NumberOfIntents(min(NUMBERS[0], len(users)), np.zeros(0, int), np.zeros(0))
    frequent = _frequent_items(split)
    histories = split.train.rows(others)
    fitted = dataclasses.replace(split, train=histories)
    vectors = spectral_vectors(fitted, _WIDTH, seed, frequent, tolerance=0.01)
    clustered = _counts(histories.rows(sampled_rows(len(others), _MOST_CLUSTERED)), frequent)
    shown, hidden = (_counts(split.train.rows(judged), frequent, part) for part in (0, 1))
    popularity = np.asarray(clustered.sum(axis=0))[0] + 1.0
    means, shown = _means(clustered, vectors), _means(shown, vectors)
    tried: list[np.ndarray] = []
    for clusters in _clusterings(means, numbers, seed):
        tried.append(_gains(clusters, clustered, shown, hidden, popularity))
        if len(tried) > _PATIENCE and all(_is_worse(one, tried) for one in tried[-_PATIENCE:]):
            break
    number = next(k for k, one in zip(numbers, tried, strict=False) if not _is_worse(one, tried))
    means = np.array([one.sum() for one in tried]) / max(hidden.sum(), 1.0)
    return NumberOfIntents(number, np.array(numbers[: len(tried)]), means)


def _frequent_items(split: Split) -> ItemAttribute:
    """The most frequent items as values of items; the others have none."""
    counts = split.training_counts
    kept = np.argsort(-counts, kind="stable")[:_MOST_ITEMS]
    of_items = np.full(len(counts), UNKNOWN_ID)
    of_items[kept] = np.arange(NUM_SPECIAL_IDS, NUM_SPECIAL_IDS + len(kept))
    return ItemAttribute(Vocabulary(split.interactions.items.ids[kept]), special_ids_and(of_items))


def _counts(
    histories: Histories, items: ItemAttribute, part: int | None = None
) -> sparse.csr_matrix:
    """How often users have items, ``(users, items)`` float32; with ``part`` only the first, third
    and so on of the items of a history (0), or those between (1)."""
    from scipy import sparse

    joined = histories.joined()
    owners = joined.owners
    ids = items.of_items[joined.item_ids]
    kept = ids >= NUM_SPECIAL_IDS
    if part is not None:
        kept &= (np.arange(len(owners)) - joined.starts[owners]) % 2 == part
    ids, owners = ids[kept] - NUM_SPECIAL_IDS, owners[kept]
    shape = len(joined.starts), len(items.vocabulary)
    return sparse.coo_matrix((np.ones(len(ids), np.float32), (owners, ids)), shape).tocsr()


def _means(counts: sparse.csr_matrix, vectors: np.ndarray) -> np.ndarray:
    """The mean vector of each user's items, at length 1."""
    sums = counts @ vectors
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)


def _clusterings(vectors: np.ndarray, numbers: list[int], seed: int) -> Iterator[Clusters]:
    """The best of several clusterings for each number."""
    random = np.random.default_rng(seed)
    for k in numbers:
        starts = [_spread_out(vectors, k, random) for _ in range(_STARTS)]
        found = [kmeans(vectors, k, _ITERATIONS, initial) for initial in starts]
        yield min(found, key=lambda one: one.inertia)


def _spread_out(vectors: np.ndarray, k: int, random: np.random.Generator) -> np.ndarray:
    """First centroids after k-means++ (Arthur and Vassilvitskii, SODA 2007)."""
    chosen = [random.integers(len(vectors))]
    distances = np.full(len(vectors), np.inf)
    for _ in range(k - 1):
        # Of vectors of length 1.
        distances = np.minimum(distances, np.maximum(2 - 2 * vectors @ vectors[chosen[-1]], 0))
        upto = np.cumsum(distances)
        place = np.searchsorted(upto, random.random() * upto[-1], side="right")
        chosen.append(min(place, len(vectors) - 1))
    return vectors[chosen]


def _gains(
    clusters: Clusters,
    clustered: sparse.csr_matrix,
    shown: np.ndarray,
    hidden: sparse.csr_matrix,
    popularity: np.ndarray,
) -> np.ndarray:
    """How much better a user's intent predicts the user's hidden items than popularity does:
    ``(judged users,)`` the sum of the logarithms."""
    from scipy import sparse

    number, k = len(clusters.assignments), len(clusters.centroids)
    of_intent = sparse.csr_matrix(
        (np.ones(number, np.float32), (clusters.assignments, np.arange(number))), (k, number)
    )
    of_items = (of_intent @ clustered).toarray()
    pairs = hidden.tocoo()
    intents = nearest_centroids(shown, clusters.centroids)[pairs.row]
    counts, totals = of_items[intents, pairs.col], of_items.sum(axis=1)[intents]
    expected = (popularity / popularity.sum())[pairs.col]

    def logarithms(weight: float) -> np.ndarray:
        return np.log((counts + weight * expected) / (totals + weight) / expected) * pairs.data

    # One weight for all intents, the best for each number of them.
    best = max((logarithms(2.0**power) for power in range(2, 22)), key=np.sum)
    return np.bincount(pairs.row, best, minlength=hidden.shape[0])


def _is_worse(gains: np.ndarray, all_gains: list[np.ndarray]) -> bool:
    """Whether the best of all is better by more than a standard error."""
    difference = max(all_gains, key=np.sum) - gains
    return difference.sum() > difference.std() * np.sqrt(len(difference))
