"""What became of intents, by hand."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tf_iclrec import describe_intents
from tf_iclrec.analysis.intents.comparison import Comparison

from .conftest import run_of


def compare(table):
    """From a table of how many users have which two intents."""
    table = np.array(table)
    before, after = (np.repeat(part.ravel(), table.ravel()) for part in np.indices(table.shape))
    return Comparison.of(before, after, *table.shape), before, after


def fates(table):
    return [(one.fate, one.before, one.after) for one in compare(table)[0].changes]


def test_intents_that_are_numbered_otherwise_stayed():
    found, _, _ = compare([[0, 0, 9], [8, 0, 0], [1, 7, 0]])
    assert found.matches.tolist() == [[0, 2], [1, 0], [2, 1]]
    assert [(one.fate, one.before, one.after, one.users) for one in found.changes] == [
        ("stayed", (0,), (2,), 9),
        ("stayed", (1,), (0,), 8),
        ("stayed", (2,), (1,), 7),
    ]
    assert found.overlaps.tolist() == [1.0, 8 / 9, 7 / 8]
    assert found.changes[1].overlap == 8 / 9
    assert found.num_users == 25


def test_one_that_split():
    assert fates([[10, 0, 0], [1, 12, 9]]) == [("stayed", (0,), (0,)), ("split", (1,), (1, 2))]


def test_two_that_merged():
    assert fates([[10, 0], [0, 6], [1, 7]]) == [("stayed", (0,), (0,)), ("merged", (1, 2), (1,))]


def test_a_small_piece_that_comes_off_is_new():
    """A fifth of the users make a part of a split."""
    assert fates([[85, 15]]) == [("stayed", (0,), (0,)), ("appeared", (), (1,))]
    assert fates([[80, 20]]) == [("split", (0,), (0, 1))]


def test_one_whose_users_are_everywhere_vanished():
    assert fates([[20, 0, 0], [0, 20, 0], [2, 2, 3]]) == [
        ("stayed", (0,), (0,)),
        ("stayed", (1,), (1,)),
        ("vanished", (2,), ()),
        ("appeared", (), (2,)),
    ]


def test_the_match_is_the_best_together_not_one_by_one():
    """The first two fit each other best, but then nothing is left for the others."""
    found, _, _ = compare([[10, 9], [9, 0]])
    assert found.matches.tolist() == [[0, 1], [1, 0]]
    assert found.overlaps.tolist() == [9 / 19, 9 / 19]


def test_intents_without_users_in_common_are_not_spoken_of():
    assert fates([[5, 0], [0, 0]]) == [("stayed", (0,), (0,))]


def test_the_agreement_is_the_adjusted_rand_index():
    table = np.random.default_rng(0).integers(0, 9, (4, 5))
    found, before, after = compare(table)
    assert found.agreement == pytest.approx(adjusted_rand_score(before, after))


def test_users_of_an_earlier_run_are_found_by_their_ids(run, planted):
    """Who are in another order there."""
    log, intents = planted
    pieces = np.split(log.item_ids, log.offsets[1:-1])[::-1]
    earlier = dataclasses.replace(
        log,
        item_ids=np.concatenate(pieces),
        offsets=np.concatenate([[0], np.cumsum(log.lengths[::-1])]),
        users=log.users[::-1],
    )
    found = describe_intents(run, run_of(earlier, intents[::-1])).comparison
    assert found.num_users == 240
    assert found.agreement > 0.9
    assert [(one.fate, one.before, one.after) for one in found.changes] == [
        ("stayed", (intent,), (intent,)) for intent in range(4)
    ]
