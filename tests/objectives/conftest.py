"""What the tests of objectives share."""

import dataclasses
import math

import numpy as np
import pytest

from tf_iclrec.objectives.objective import EncodedBatch


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def item_table(rng):
    """Vectors of seven internal ids: the special ones and four items."""
    return rng.normal(size=(7, 4)).astype("float32")


@pytest.fixture
def encoded(rng, item_table):
    """Three users, three steps, width 4; the first two users share their first intent."""

    def item_vectors(item_ids=None):
        return item_table[3:] if item_ids is None else item_table[np.asarray(item_ids)]

    def intents(ids, num_intents):
        centroids = rng.normal(size=(num_intents, 4))
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        return np.array(ids), centroids[ids].astype("float32")

    return EncodedBatch(
        hidden=rng.normal(size=(3, 3, 4)).astype("float32"),
        target_ids=np.array([[0, 3, 4], [5, 6, 3], [0, 0, 6]], dtype="int32"),
        item_vectors=item_vectors,
        negative_ids=np.array([[0, 5, 6], [4, 4, 4], [0, 0, 3]], dtype="int32"),
        own_vectors=rng.normal(size=(3, 4)).astype("float32"),
        view_hidden=rng.normal(size=(2, 3, 3, 4)).astype("float32"),
        view_vectors=rng.normal(size=(2, 3, 4)).astype("float32"),
        sides=tuple(rng.normal(size=(2, 3, 4)).astype("float32")),
        intents=[intents([1, 1, 0], 2), intents([2, 0, 1], 3)],
        intents_fitted=np.float32(1.0),
    )


@pytest.fixture
def moved(encoded):
    """A copy of the batch, one array changed by adding to what ``where`` selects."""

    def moved(name, where, by=1.0):
        value = getattr(encoded, name).copy()
        value[where] += by
        return dataclasses.replace(encoded, **{name: value})

    return moved


@pytest.fixture
def slow_in_batch_info_nce():
    """ICLRec Eq. 16, with groups Eq. 17, and IPSRec Eq. 12: row by row."""

    def slow_loss(anchors, positives, temperature=1.0, group_ids=None):
        terms = []
        for row, anchor in enumerate(anchors.astype("float64")):
            total = 0.0
            for other, candidate in enumerate(positives):
                same_group = group_ids is not None and group_ids[other] == group_ids[row]
                if other == row or not same_group:
                    total += math.exp(anchor @ candidate / temperature)
            terms.append(math.log(total) - anchor @ positives[row] / temperature)
        return sum(terms) / len(terms)

    return slow_loss
