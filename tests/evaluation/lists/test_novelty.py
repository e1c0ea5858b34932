import math

import numpy as np
import pytest

from tf_iclrec.evaluation.lists.novelty import novelty

from .random_lists import NUM_ITEMS, random_lists


def test_by_hand():
    # Shares 1/2, 1/4, 1/4, and an item never seen, which counts as one of 16 interactions.
    counts = np.array([8, 4, 4, 0])
    lists = np.array([[3, 3], [3, 4], [6, 0], [0, 0]])
    assert novelty(lists, counts)[:3].tolist() == [1.0, 1.5, 4.0]
    assert np.isnan(novelty(lists, counts)[3])


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_its_definition(seed):
    lists = random_lists(seed)
    counts = np.random.default_rng(seed).integers(0, 20, NUM_ITEMS)
    for row, value in zip(lists.tolist(), novelty(lists, counts), strict=True):
        bits = [-math.log2(max(counts[item - 3], 1) / counts.sum()) for item in row if item]
        assert value == pytest.approx(np.mean(bits) if bits else math.nan, nan_ok=True)
