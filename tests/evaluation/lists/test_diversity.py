"""How different the items of a list are: by vectors, and by values."""

import itertools

import numpy as np
import pytest

from tf_iclrec.evaluation.lists import vector_diversity as module
from tf_iclrec.evaluation.lists.value_diversity import value_diversity
from tf_iclrec.evaluation.lists.vector_diversity import vector_diversity

from .random_lists import NUM_ITEMS, random_lists, random_values


def mean_over_pairs(row, distance):
    pairs = list(itertools.combinations(row, 2))
    return np.mean([distance(*pair) for pair in pairs]) if pairs else np.nan


def test_vectors_by_hand():
    # At 0, 90 and 180 degrees, and one of no direction; lengths don't count.
    vectors = np.array([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0], [0.0, 0.0]])
    lists = np.array([[3, 4, 5], [3, 3, 0], [3, 5, 0], [3, 6, 0]])
    assert vector_diversity(lists, vectors) == pytest.approx([4 / 3, 0.0, 2.0, 1.0])
    assert np.isnan(vector_diversity(np.array([[3, 0], [0, 0]]), vectors)).all()


@pytest.mark.parametrize("seed", range(3))
def test_vectors_agree_with_all_pairs_a_block_at_a_time(seed, monkeypatch):
    monkeypatch.setattr(module, "_MAX_GATHERED", 7 * 6 * 5)
    vectors = np.random.default_rng(seed).normal(size=(NUM_ITEMS, 5)).astype(np.float32)

    def distance(one, other):
        a, b = vectors[one - 3], vectors[other - 3]
        return 1 - a @ b / np.sqrt((a @ a) * (b @ b))

    lists = random_lists(seed)
    expected = [mean_over_pairs([item for item in row if item], distance) for row in lists]
    np.testing.assert_allclose(vector_diversity(lists, vectors), expected, atol=1e-6)


def test_values_by_hand():
    # 3 and 4 are values, 1 is unknown, 0 no item.
    values = np.array([[3, 3, 4, 4], [3, 3, 3, 0], [3, 1, 4, 1], [3, 1, 1, 0], [1, 1, 1, 1]])
    assert value_diversity(values)[:3] == pytest.approx([4 / 6, 0.0, 1.0])
    assert np.isnan(value_diversity(values)[3:]).all()


@pytest.mark.parametrize("seed", range(3))
def test_values_agree_with_all_pairs(seed):
    values = random_values(seed)[random_lists(seed)]
    expected = [
        mean_over_pairs([value for value in row if value > 2], lambda one, other: one != other)
        for row in values
    ]
    np.testing.assert_allclose(value_diversity(values), expected)
    assert 0 < np.isnan(expected).sum() < len(expected) / 2
