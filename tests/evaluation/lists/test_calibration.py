import math

import numpy as np
import pytest

from tf_iclrec.data.histories import Histories
from tf_iclrec.evaluation.lists import calibration as module
from tf_iclrec.evaluation.lists.calibration import calibration

from .random_lists import random_histories, random_lists, random_values

# Items 3 and 4 have the first value, 5 the second, 6 none that is known.
OF_ITEMS = np.array([0, 1, 2, 3, 3, 4, 1])


def of_one_user(history, listed):
    histories = Histories(np.array(history), np.array([0]), np.array([len(history)]))
    return calibration(np.array([listed]), histories, OF_ITEMS)[0]


def test_by_hand():
    # Three quarters and a quarter; the list has half of each.
    expected = 0.75 * math.log(0.75 / (0.99 * 0.5 + 0.01 * 0.75))
    expected += 0.25 * math.log(0.25 / (0.99 * 0.5 + 0.01 * 0.25))
    assert of_one_user([3, 4, 3, 5], [4, 5]) == pytest.approx(expected)
    # What the history has not does not count by itself: the other value has all the more of p.
    assert of_one_user([3], [4, 5]) == pytest.approx(-math.log(0.505))


def test_same_proportions_are_calibrated_and_nothing_in_common_is_the_most():
    assert of_one_user([3, 5, 4, 5], [4, 5]) == 0.0
    assert of_one_user([3, 4], [5]) == pytest.approx(-math.log(0.01))


def test_unknown_values_are_left_out_of_history_and_list():
    assert of_one_user([3, 5, 6, 6], [4, 5, 6, 0]) == 0.0
    assert np.isnan(of_one_user([6], [3]))
    assert np.isnan(of_one_user([3], [6, 0]))


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_its_definition_a_block_at_a_time(seed, monkeypatch):
    monkeypatch.setattr(module, "_USERS_AT_ONCE", 7)
    lists, histories, of_items = random_lists(seed), random_histories(seed), random_values(seed)

    def shares(item_ids):
        values = [of_items[item] for item in item_ids if of_items[item] > 2]
        return {value: values.count(value) / len(values) for value in values}

    found = calibration(lists, histories, of_items)
    for user, value in enumerate(found):
        p = shares(histories.item_ids[histories.starts[user] : histories.ends[user]])
        q = shares(lists[user])
        terms = [x * math.log(x / (0.99 * q.get(of, 0.0) + 0.01 * x)) for of, x in p.items()]
        assert value == pytest.approx(sum(terms) if p and q else math.nan, nan_ok=True, abs=1e-12)
    assert 0 < np.isnan(found).sum() < len(found) / 2
