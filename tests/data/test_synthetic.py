import numpy as np
import pytest

from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


def test_users_take_items_of_their_intent():
    log, intents = planted_intents(num_users=500, num_items=100, num_intents=5, noise=0.2)
    users = np.repeat(intents[log.users.astype(int)], log.lengths)
    items = log.items.ids[log.item_ids - NUM_SPECIAL_IDS].astype(int)
    # Noise hits the own share by chance in one of five cases.
    assert (items // 20 == users).mean() == pytest.approx(0.8 + 0.2 / 5, abs=0.02)


def test_lengths_have_the_wanted_mean():
    log, _ = planted_intents(num_users=2000, mean_length=9.0)
    assert log.lengths.min() >= 5
    assert log.lengths.mean() == pytest.approx(9.0, abs=0.2)


def test_the_seed_decides():
    first, second, other = (planted_intents(num_users=50, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.item_ids, second.item_ids)
    assert not np.array_equal(first.item_ids, other.item_ids)


@pytest.mark.parametrize("arguments", [{"num_items": 3, "num_intents": 4}, {"mean_length": 4.0}])
def test_impossible_logs_are_refused(arguments):
    with pytest.raises(ValueError, match=r"must be|need"):
        planted_intents(**arguments)
