"""Coverage and Gini: how the lists share out the catalogue."""

import numpy as np
import pytest

from tf_iclrec.evaluation.lists.coverage import coverage
from tf_iclrec.evaluation.lists.gini import gini

from .random_lists import NUM_ITEMS, random_lists


@pytest.mark.parametrize(
    ("lists", "num_items", "covered", "unequal"),
    [
        # Counts 2, 1, 1, 0; in ascending order 0, 1, 1, 2 by -3, -1, 1, 3, over 4 * 3.
        ([[3, 4], [3, 5]], 4, 3 / 4, 6 / 12),
        # The same for everyone.
        ([[3], [3], [3]], 5, 1 / 5, 1.0),
        ([[3, 4], [5, 6]], 4, 1.0, 0.0),
        ([[3, 0], [0, 0]], 2, 1 / 2, 1.0),
        ([[3]], 1, 1.0, 0.0),
    ],
)
def test_by_hand(lists, num_items, covered, unequal):
    assert coverage(np.array(lists), num_items) == pytest.approx(covered)
    assert gini(np.array(lists), num_items) == pytest.approx(unequal)


def test_nothing_recommended_covers_nothing_and_has_no_gini():
    assert coverage(np.zeros((2, 3), int), 5) == 0.0
    assert np.isnan(gini(np.zeros((2, 3), int), 5))


@pytest.mark.parametrize("seed", range(3))
def test_agree_with_their_definitions(seed):
    lists = random_lists(seed)
    recommended = [item for row in lists.tolist() for item in row if item]
    assert coverage(lists, NUM_ITEMS) == pytest.approx(len(set(recommended)) / NUM_ITEMS)
    counts = [recommended.count(item) for item in range(3, NUM_ITEMS + 3)]
    # Half the mean difference between two items, in relation to the mean; of n by n - 1 pairs.
    differences = sum(abs(one - other) for one in counts for other in counts)
    expected = differences / (NUM_ITEMS * (NUM_ITEMS - 1)) / 2 / np.mean(counts)
    assert gini(lists, NUM_ITEMS) == pytest.approx(expected)
