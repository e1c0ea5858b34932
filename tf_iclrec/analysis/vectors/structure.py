"""Whether users who have the same lie together: ICLRec's Fig. 7 in figures.

The paper shows by a map (t-SNE) that its vectors pull users of one category together. A map shows
what its maker chooses to see; these figures count all users and all categories.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_iclrec.analysis.vectors.user_vectors import UserVectors, user_vectors
from tf_iclrec.errors import UserError
from tf_iclrec.runs import Run

_AT_ONCE = 1024
MOST_USERS = 30_000
NEIGHBOURS = 10


@dataclasses.dataclass(frozen=True)
class Structure:
    """How vectors lie by a value of their users, by the cosine.

    Attributes:
        users: How many vectors.
        values: How many values they have.
        silhouette: Mean over users of how much nearer those of the same value are than those of the
            nearest other value (Rousseeuw, 1987): 1 apart, 0 mixed, below 0 among others.
        purity: Share of each user's nearest neighbours who have the same value.
        chance: What the purity would be if the values were dealt out at random.
    """

    users: int
    values: int
    silhouette: float
    purity: float
    chance: float


def vector_structure(
    run: Run,
    by: str = "category",
    neighbours: int = NEIGHBOURS,
    most_users: int | None = MOST_USERS,
) -> dict[str, Structure]:
    """How the vectors of a run's users lie by what these users have most of.

    Args:
        run: A finished run.
        by: An attribute or label of the items, or ``"provider"``.
        neighbours: Nearest neighbours of each user.
        most_users: Of more users, so many are drawn, always the same ones.

    Returns:
        ``"last"``: of the hidden states by which items are recommended; ``"mean"``: of those of
        which intents are clusters.

    Raises:
        UserError: See `user_vectors`; or if all users have the same.

    Example:
    >>> from tf_iclrec import load_run
    >>> vector_structure(load_run("runs/mine"))["last"].purity  # doctest: +SKIP
    0.41
    """
    return structures(user_vectors(run, by, most_users), neighbours)


def structures(found: UserVectors, neighbours: int = NEIGHBOURS) -> dict[str, Structure]:
    """`Structure` of the last and the mean hidden states of users.

    Raises:
        UserError: If all of them have the same value.
    """
    values, counts = np.unique(found.values, return_inverse=True, return_counts=True)[1:]
    if len(counts) < 2:
        raise UserError("All users have the same main value: nothing can lie apart.")
    chance = float((counts * (counts - 1)).sum() / (len(values) * (len(values) - 1)))
    return {
        kind: Structure(
            len(values),
            len(counts),
            float(silhouettes(vectors, values).mean()),
            float(purities(vectors, values, neighbours).mean()),
            chance,
        )
        for kind, vectors in (("last", found.last), ("mean", found.mean))
    }


def silhouettes(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The silhouette of each vector by the distance ``1 - cosine``.

    The mean distance to many vectors is the one to their mean, so that no pairs are compared.

    Args:
        vectors: ``(n, dim)``.
        values: ``(n,)`` int from 0, each of which occurs.

    Returns:
        ``(n,)`` float64; 0 for the only vector of its value.

    Example:
    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> silhouettes(vectors, np.array([0, 0, 1, 1])).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    units = _units(vectors.astype(np.float64))
    counts = np.bincount(values)
    sums = np.zeros((len(counts), units.shape[1]))
    np.add.at(sums, values, units)
    found = np.empty(len(units))
    for first in range(0, len(units), _AT_ONCE):
        block, own = units[first : first + _AT_ONCE], values[first : first + _AT_ONCE]
        rows = np.arange(len(block))
        distances = counts - block @ sums.T
        # Without the distance to itself.
        itself = 1 - (block**2).sum(axis=1)
        within = (distances[rows, own] - itself) / np.maximum(counts[own] - 1, 1)
        means = distances / counts
        means[rows, own] = np.inf
        nearest = means.min(axis=1)
        largest = np.maximum(np.maximum(within, nearest), np.finfo(float).tiny)
        found[first : first + _AT_ONCE] = (nearest - within) / largest
    return np.where(counts[values] > 1, found, 0.0)


def purities(vectors: np.ndarray, values: np.ndarray, neighbours: int) -> np.ndarray:
    """Of each vector's nearest neighbours by the cosine, the share with the same value.

    Args:
        vectors: ``(n, dim)``.
        values: ``(n,)`` int.
        neighbours: How many; all others, if there are fewer.

    Returns:
        ``(n,)`` float64.

    Example:
    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.1], [0.1, 1.0], [0.0, 1.0]])
    >>> purities(vectors, np.array([0, 0, 1, 0]), 1).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    units = tf.constant(_units(vectors.astype(np.float64)), tf.float32)
    most = min(neighbours, len(vectors) - 1)
    found = []
    for first in range(0, len(vectors), _AT_ONCE):
        block = units[first : first + _AT_ONCE]
        cosines = tf.matmul(block, units, transpose_b=True)
        rows = tf.range(tf.shape(block)[0])
        itself = tf.fill(tf.shape(rows), -np.inf)
        cosines = tf.tensor_scatter_nd_update(
            cosines, tf.stack([rows, rows + first], axis=1), itself
        )
        nearest = tf.math.top_k(cosines, most, sorted=False).indices.numpy()
        own = values[first : first + _AT_ONCE, np.newaxis]
        found.append((values[nearest] == own).mean(axis=1))
    return np.concatenate(found)


def _units(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(vectors.dtype).tiny)
