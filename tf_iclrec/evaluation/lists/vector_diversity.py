"""How different the items of a list are, by their vectors."""

import numpy as np

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, PADDING_ID

# Numbers of gathered vectors that are in memory at a time.
_MAX_GATHERED = 1 << 24


def vector_diversity(item_ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Mean distance ``1 - cosine`` over all pairs of each list's items (Smyth and McClave,
    Similarity vs. Diversity, ICCBR 2001; 1 less the intra-list similarity of Ziegler et al.,
    WWW 2005, as a mean).

    The mean over pairs follows from the length of the sum of the ``m`` unit vectors,
    ``(|sum|^2 - m) / (m * (m - 1))``, so no pair is ever made.

    Args:
        item_ids: ``(users, k)`` int32 internal ids of recommended items, 0 = none.
        vectors: ``(items, dim)`` float32, of any length; the distance from a zero vector is 1.

    Returns:
        ``(users,)`` float64 from 0 to 2; NaN for a list of fewer than two items.

    Example: of three pairs one is alike and two are at right angles.
    >>> vectors = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    >>> vector_diversity(np.array([[3, 4, 5], [3, 4, 0]]), vectors).round(3).tolist()
    [0.667, 0.0]
    """
    block = max(1, _MAX_GATHERED // (item_ids.shape[1] * vectors.shape[1]))
    likeness = [
        _likeness(item_ids[first : first + block], vectors)
        for first in range(0, len(item_ids), block)
    ]
    filled = np.count_nonzero(item_ids, axis=1)
    pairs = filled * (filled - 1)
    return np.where(pairs, 1.0 - np.concatenate(likeness) / np.maximum(pairs, 1), np.nan)


def _likeness(item_ids, vectors):
    """Sum of the cosines of all pairs of different places."""
    chosen = vectors[np.maximum(item_ids - NUM_SPECIAL_IDS, 0)]
    lengths = np.linalg.norm(chosen, axis=2) * (item_ids != PADDING_ID)
    inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    sums = np.einsum("ukd,uk->ud", chosen, inverse).astype(np.float64)
    return (sums * sums).sum(axis=1) - np.count_nonzero(lengths, axis=1)
