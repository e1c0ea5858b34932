import numpy as np
import pytest

from tf_iclrec.evaluation.lists.calibration import calibration
from tf_iclrec.evaluation.lists.coverage import coverage
from tf_iclrec.evaluation.lists.gini import gini
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.lists.novelty import novelty
from tf_iclrec.evaluation.lists.recommended_lists import RecommendedLists
from tf_iclrec.evaluation.lists.registry import metrics_of_lists, values_of_lists
from tf_iclrec.evaluation.lists.value_diversity import value_diversity
from tf_iclrec.evaluation.lists.vector_diversity import vector_diversity

from .random_lists import NUM_ITEMS, NUM_USERS, random_histories, random_lists, random_values

COUNTS = np.arange(NUM_ITEMS)
VECTORS = np.random.default_rng(0).normal(size=(NUM_ITEMS, 3)).astype(np.float32)
BRANDS, UNKNOWN = random_values(0), random_values(0, known=0.0)


def lists(values, vectors=VECTORS):
    facts = ItemFacts(COUNTS, values, vectors)
    return RecommendedLists(random_lists(0), random_histories(0), facts)


def test_each_metric_is_there_under_its_name():
    given = lists({"provider": BRANDS})
    metrics = metrics_of_lists(given, values_of_lists(given))
    item_ids = given.item_ids
    assert metrics == pytest.approx(
        {
            "Coverage@6": coverage(item_ids, NUM_ITEMS),
            "Gini@6": gini(item_ids, NUM_ITEMS),
            "Novelty@6": np.nanmean(novelty(item_ids, COUNTS)),
            "Diversity@6": np.nanmean(vector_diversity(item_ids, VECTORS)),
            "ProviderDiversity@6": np.nanmean(value_diversity(BRANDS[item_ids])),
            "ProviderCalibration@6": np.nanmean(calibration(item_ids, given.histories, BRANDS)),
        }
    )


def test_some_users_have_the_metrics_of_their_lists_alone():
    given = lists({"provider": BRANDS})
    some = np.arange(NUM_USERS) % 3 == 0
    histories = given.histories.rows(np.flatnonzero(some))
    alone = RecommendedLists(given.item_ids[some], histories, given.items)
    expected = metrics_of_lists(alone, values_of_lists(alone))
    assert metrics_of_lists(given, values_of_lists(given), some) == pytest.approx(expected)


def test_what_nobody_has_is_not_there():
    given = lists({"main_category": BRANDS, "colour": UNKNOWN}, vectors=None)
    names = list(metrics_of_lists(given, values_of_lists(given)))
    assert names == [
        *("Coverage@6", "Gini@6", "Novelty@6"),
        *("MainCategoryDiversity@6", "MainCategoryCalibration@6"),
    ]
