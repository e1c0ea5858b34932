import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, Selection, UserError, load_interactions
from tf_iclrec.data.preparation.prepare_log import reduce_log
from tf_iclrec.data.preparation.reduction import kept_of_repeats

from ..reductions import slow_core

LOG = Interactions.from_sequences(
    {"ann": ["tea", "jam", "tea"], "bob": ["jam", "ale"], "cat": ["jam"]}
)


def core_of(log, k):
    return reduce_log(log, Selection(min_user_count=k, min_item_count=k)).log


def slow_repeats(items, repeats):
    """The places that stay."""
    places = range(len(items))
    return {
        "keep": list(places),
        "first": [place for place in places if items[place] not in items[:place]],
        "last": [place for place in places if items[place] not in items[place + 1 :]],
        "drop-consecutive": [p for p in places if p == 0 or items[p] != items[p - 1]],
    }[repeats]


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
@pytest.mark.parametrize("repeats", ["keep", "first", "last", "drop-consecutive"])
def test_repeats_agree_with_a_slow_search(repeats, block, random_log, raw_sequences, monkeypatch):
    monkeypatch.setattr("tf_iclrec.data.arrays.BLOCK", block)
    log = random_log(1, users=20, items=5, shortest=1, longest=12)
    expected = {
        user: [items[place] for place in slow_repeats(items, repeats)]
        for user, items in raw_sequences(log).items()
    }
    kept = kept_of_repeats(log, repeats)
    assert raw_sequences(log.select(kept)) == expected
    assert (kept.sum() < log.num_actions) == (repeats != "keep")


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_core_agrees_with_removal_one_by_one(seed, k, random_log, raw_sequences):
    log = random_log(seed, users=60, items=45, shortest=1, longest=11)
    core = core_of(log, k)
    expected = slow_core(raw_sequences(log), k)
    assert 0 < len(expected) < 60 or k == 1
    assert raw_sequences(core) == expected
    assert set(core.items.ids) == {item for items in expected.values() for item in items}


def test_core_repeats_until_nothing_is_rare():
    """Each removal makes the next user or item rare, down to the pair that is left."""
    chain = {f"u{i}": [f"i{i}", f"i{i + 1}"] for i in range(20)}
    pair = {"p": ["x", "y"], "q": ["x", "y"]}
    assert core_of(Interactions.from_sequences(chain | pair), 2).users.tolist() == ["p", "q"]


def test_core_in_which_nothing_is_left_is_refused():
    with pytest.raises(UserError, match="left in the core of at least 3"):
        core_of(LOG, 3)


def test_users_and_items_can_need_different_numbers(random_log, raw_sequences):
    log = random_log(0, users=60, items=45, shortest=1, longest=11)
    made = reduce_log(log, Selection(min_user_count=4, min_item_count=7))
    lengths, counts = made.log.lengths, np.bincount(made.log.item_ids)[3:]
    assert lengths.min() >= 4
    assert counts.min() >= 7
    assert min(lengths.min(), counts.min()) < 7
    # One more round would take nothing away, and none of the rounds was for nothing.
    sizes = [one.actions for one in made.rounds]
    assert sizes == sorted(set(sizes), reverse=True)
    assert (sizes[0], sizes[-1]) == (log.num_actions, made.log.num_actions)
    assert made.dropped == {"of users or items with too few": sizes[0] - sizes[-1]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"repeats": "drop_consecutive"}, "repeats must be one of keep, first, last, drop-conse"),
        ({"time_unit": "ms"}, "time_unit must be one of auto, seconds, milliseconds"),
        ({"min_user_count": -1}, "min_user_count must be at least 0, not -1"),
    ],
)
def test_words_and_numbers_that_mean_nothing_are_refused(given, message):
    table = pd.DataFrame({"user": ["ann"], "item": ["tea"], "time": [1]})
    with pytest.raises(UserError, match=message):
        load_interactions(table, **given)
