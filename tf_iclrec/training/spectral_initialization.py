"""Vectors to start from: the main directions of which items, or providers, follow each other."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.models.followers import followers
from tf_iclrec.settings import Setting, checked

if TYPE_CHECKING:
    from scipy import sparse

_WINDOW = 3
# Users whose histories are read: more hardly change the directions.
_MOST_USERS = 250_000
# Of a coordinate, a little more than of the random vectors: longer ones change too slowly.
_STDDEV = 0.03


@checked
def start_from_spectral_vectors(
    members: Sequence[Encoder],
    split: Split,
    spectral_members: Annotated[
        int,
        Setting(
            "encoders that start from the items' vectors, the others from their providers'",
            at_least=1,
        ),
    ] = 1,
    seed: int = 0,
) -> None:
    """Let encoders start from `spectral_vectors`, added to their random embeddings.

    The first ones start from the vectors of the items. The others start elsewhere and so err
    elsewhere, which an ensemble lives on: from those of providers and further attributes, if
    they read them.

    Args:
        members: Built encoders of the same width.
        split: The log, of which the training part is read.
        spectral_members: How many start from the items.
        seed: Seed of the search for the directions.
    """
    spectral = functools.partial(spectral_vectors, split, members[0].hidden_dim, seed)
    of_items = spectral()
    for member in members[:spectral_members]:
        _add(member.item_embedding, of_items)
    others = [one for one in members[spectral_members:] if one.value_embeddings]
    if others:
        known = (split.interactions.providers, *split.interactions.attributes.values())
        of_values = [spectral(attribute=attribute) for attribute in known]
    for member in others:
        for embedding, vectors in zip(member.value_embeddings, of_values, strict=True):
            _add(embedding, vectors)


def spectral_vectors(
    split: Split,
    dim: int,
    seed: int = 0,
    attribute: ItemAttribute | None = None,
    tolerance: float = 0.0,
) -> np.ndarray:
    """Factors of the items' positive pointwise mutual information in the training histories.

    Two items count as met when they are at most three steps apart, with a weight of one over
    the distance. Word vectors learnt by negative sampling factorise the same matrix implicitly
    (Levy and Goldberg, NIPS 2014). A Transformer that starts from them needs a fraction of the
    epochs and ends higher, because most items have few interactions to learn from.

    Args:
        split: The log, of which the training part is read.
        dim: Width of the vectors.
        seed: Seed of the search for the directions.
        attribute: If given, its values are looked at in place of the items.
        tolerance: Relative error of the eigenvalues, that saves time; 0: as exact as can be.

    Returns:
        ``(items, dim)`` float32, or a row per value; each of length 1, or 0 for what never met
        another.

    Example: two worlds of items that never meet.
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> log = Interactions.from_sequences({"ann": "abcabcabc??", "bob": "dededede??"})
    >>> a, b, d = spectral_vectors(leave_one_out(log), 2)[log.items.encode(["a", "b", "d"]) - 3]
    >>> round(float(a @ b), 3), round(abs(float(a @ d)), 3)
    (1.0, 0.0)
    """
    from scipy.sparse import linalg  # Here, because not every training needs it.

    information = _positive_mutual_information(split, attribute)
    size = information.shape[0]
    vectors = np.zeros((size, dim), dtype=np.float32)
    if not information.data.any():
        return vectors
    found = min(dim, size - 1)
    start = np.random.default_rng(seed).standard_normal(size, np.float32)
    values, directions = linalg.eigsh(information, found, which="LM", v0=start, tol=tolerance)
    values = np.abs(values)
    # What belongs to an eigenvalue of 0 is arbitrary.
    vectors[:, :found] = directions * np.sqrt(np.where(values > 1e-4 * values.max(), values, 0))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-4)


def _add(embedding: IdEmbedding, vectors: np.ndarray) -> None:
    rows = vectors * (_STDDEV * np.sqrt(vectors.shape[1]))
    rows = np.pad(rows, [(NUM_SPECIAL_IDS, 0), (0, 0)])
    embedding.add_to_vectors(rows)


def _positive_mutual_information(split, attribute):
    """Sparse, symmetric ``(items, items)``, or of the attribute's values."""
    from scipy import sparse

    met = co_occurrences(split, attribute).tocoo()
    size = met.shape[0]
    often = np.bincount(met.row, met.data, minlength=size)
    expected = often[met.row] * often[met.col] / often.sum()
    information = np.log(np.maximum(met.data / expected, 1)).astype(np.float32)
    return sparse.csr_array((information, (met.row, met.col)), met.shape)


def co_occurrences(split: Split, attribute: ItemAttribute | None = None) -> sparse.csr_array:
    """How often items, or values of an attribute, meet in the training histories, and how closely.

    Two that are at most three steps apart have met, with a weight of one over the distance.

    Args:
        split: The log, of which the training part is read, of many users a sample.
        attribute: If given, its values are looked at in place of the items.

    Returns:
        Symmetric ``(items, items)`` float32, without the special ids.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out
    >>> split = leave_one_out(Interactions.from_sequences({"ann": "abc??"}))
    >>> co_occurrences(split).toarray()[1].tolist()
    [0.0, 0.0, 1.0, 0.5]
    """
    histories = split.train.longer_than(1)
    joined = histories.rows(sampled_rows(len(histories.starts), _MOST_USERS)).joined()
    size = split.interactions.num_items
    if attribute is not None:
        joined = dataclasses.replace(joined, item_ids=attribute.of_items[joined.item_ids])
        size = len(attribute.vocabulary)
    met = followers(joined, size, _WINDOW, lambda distance: 1 / distance, np.float32)
    return (met + met.T).tocsr()
