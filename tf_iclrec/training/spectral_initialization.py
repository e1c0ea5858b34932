"""Item vectors to start from: the main directions of which items follow each other."""

import keras
import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits import split_histories
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

_WINDOW = 3
# Of a coordinate, a little more than of the random vectors: longer ones change too slowly.
_STDDEV = 0.03


def spectral_item_vectors(
    interactions: Interactions, dim: int, users: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Factors of the items' positive pointwise mutual information in the training histories.

    Two items count as met when they are at most three steps apart, with a weight of one over
    the distance. Word vectors learnt by negative sampling factorise the same matrix implicitly
    (Levy and Goldberg, NIPS 2014). A Transformer that starts from them needs a fraction of the
    epochs and ends higher, because most items have few interactions to learn from.

    Args:
        interactions: The log.
        dim: Width of the vectors.
        users: Rows of the users whose histories are read; by default all.
        seed: Seed of the search for the directions.

    Returns:
        ``(items, dim)`` float32, each row of length 1, or 0 for an item that never met another.

    Example: two worlds of items that never meet.
    >>> log = Interactions.from_sequences({"ann": "abab??", "bob": "cdcd??"})
    >>> a, b, c = spectral_item_vectors(log, 2)[log.items.encode(["a", "b", "c"]) - 3]
    >>> round(float(a @ b), 3), round(abs(float(a @ c)), 3)
    (1.0, 0.0)
    """
    from scipy.sparse import linalg  # Here, because not every training needs it.

    information = _positive_mutual_information(interactions, users)
    num_items = len(interactions.items)
    vectors = np.zeros((num_items, dim), dtype=np.float32)
    found = min(dim, num_items - 1)
    start = np.random.default_rng(seed).standard_normal(num_items, np.float32)
    values, directions = linalg.eigsh(information, found, which="LM", v0=start)
    values = np.abs(values)
    # What belongs to an eigenvalue of 0 is arbitrary.
    vectors[:, :found] = directions * np.sqrt(np.where(values > 1e-4 * values.max(), values, 0))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-4)


def add_to_item_vectors(encoder: keras.layers.Layer, vectors: np.ndarray) -> None:
    """Add vectors ``(items, dim)`` of length 1 to an encoder's random item embedding."""
    table = encoder.item_embedding.embeddings
    rows = vectors * (_STDDEV * np.sqrt(vectors.shape[1]))
    table.assign_add(np.pad(rows, [(NUM_SPECIAL_IDS, 0), (0, 0)]).astype(np.float32))


def _positive_mutual_information(interactions, users):
    """Sparse, symmetric ``(items, items)``."""
    from scipy import sparse

    histories = split_histories(interactions, "train")
    if users is not None:
        histories = histories.rows(users)
    joined = histories.longer_than(1).joined()
    items = joined.item_ids - NUM_SPECIAL_IDS
    owners = np.repeat(np.arange(len(joined.starts)), joined.lengths)
    shape = (len(interactions.items),) * 2
    met = sparse.csr_matrix(shape, dtype=np.float32)
    for distance in range(1, _WINDOW + 1):
        same = owners[distance:] == owners[:-distance]
        pair = items[:-distance][same], items[distance:][same]
        weights = np.full(len(pair[0]), 1 / distance, dtype=np.float32)
        met += sparse.coo_matrix((weights, pair), shape).tocsr()
    met = (met + met.T).tocoo()
    often = np.bincount(met.row, met.data, minlength=shape[0])
    expected = often[met.row] * often[met.col] / often.sum()
    information = np.log(np.maximum(met.data / expected, 1)).astype(np.float32)
    return sparse.csr_matrix((information, (met.row, met.col)), shape)
