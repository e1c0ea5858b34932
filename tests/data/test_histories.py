import numpy as np
import pytest

from tf_iclrec import Interactions
from tf_iclrec.data.histories import Histories

LOG = Interactions.from_sequences({"ann": list("abcde"), "bob": list("fgh"), "cat": list("acegik")})


def but_for_last(log, count):
    """Each user's items but for the last ones; none are left of a user with as many."""
    return Histories(log.item_ids, log.offsets[:-1], log.offsets[1:] - count)


def visible(log, histories):
    return [
        "".join(log.items.decode(histories.item_ids[start:end]))
        for start, end in zip(histories.starts, histories.ends, strict=True)
    ]


def test_histories_are_parts_of_the_sequences():
    histories = but_for_last(LOG, 2)
    assert visible(LOG, histories) == ["abc", "f", "aceg"]
    assert histories.lengths.tolist() == [3, 1, 4]


@pytest.mark.parametrize(
    ("length", "expected"), [(0, ["abc", "f", "aceg"]), (1, ["abc", "aceg"]), (3, ["aceg"])]
)
def test_longer_than_is_strict(length, expected):
    assert visible(LOG, but_for_last(LOG, 2).longer_than(length)) == expected


@pytest.mark.parametrize("held_out", [1, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distinct_agrees_with_sets(seed, held_out, random_log):
    log = random_log(seed, users=80, items=9, shortest=2, longest=20)
    histories = but_for_last(log, held_out)
    distinct = histories.distinct()
    for row, (start, end) in enumerate(zip(histories.starts, histories.ends, strict=True)):
        items = distinct.item_ids[distinct.starts[row] : distinct.ends[row]].tolist()
        assert items == sorted(set(log.item_ids[start:end].tolist()))
    assert distinct.item_ids.dtype == np.int32


def test_distinct_of_some_rows_holds_only_their_items():
    distinct = but_for_last(LOG, 2).longer_than(3).distinct()
    assert LOG.items.decode(distinct.item_ids).tolist() == list("aceg")


def test_distinct_of_no_rows_is_empty():
    none = np.zeros(0, np.int64)
    assert Histories(LOG.item_ids, none, none).distinct().lengths.tolist() == []


def test_joined_histories_are_the_same_in_an_array_of_their_own():
    histories = but_for_last(LOG, 2).longer_than(1)
    joined = histories.joined()
    assert visible(LOG, joined) == visible(LOG, histories) == ["abc", "aceg"]
    assert joined.item_ids.size == 7


@pytest.mark.parametrize("max_length", [None, 1, 3, 50])
def test_padded_histories_end_with_the_last_items(max_length, random_log):
    log = random_log(4, users=40, items=30, shortest=2, longest=20)
    histories = but_for_last(log, 2)
    rows = np.array([5, 0, 39, 5])
    padded = histories.padded(rows, max_length)
    expected = [log.item_ids[histories.starts[row] : histories.ends[row]] for row in rows]
    expected = [items[-(max_length or 50) :].tolist() for items in expected]
    assert [row[row != 0].tolist() for row in padded] == expected
    assert padded.shape == (4, max(1, *map(len, expected)))
    assert (np.sort(padded != 0, axis=1) == (padded != 0)).all()


def test_padding_is_as_wide_as_asked_for():
    histories = but_for_last(LOG, 2)
    assert histories.padded(np.array([0, 1]), 4, least=4).shape == (2, 4)


@pytest.mark.parametrize("max_length", [None, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_padded_distinct_items_agree_with_sets(seed, max_length, random_log):
    log = random_log(seed, users=80, items=9, shortest=2, longest=20)
    histories = but_for_last(log, 2)  # Some are empty.
    rng = np.random.default_rng(seed)
    rows, needed = rng.integers(80, size=60), rng.random(60) < 0.7
    padded = histories.padded(rows, max_length, least=2, distinct=True, needed=needed)
    expected = [
        sorted(set(log.item_ids[start:end][-(max_length or 50) :].tolist())) if is_read else []
        for start, end, is_read in zip(
            histories.starts[rows], histories.ends[rows], needed, strict=True
        )
    ]
    width = max(2, *map(len, expected))
    assert padded.tolist() == [[0] * (width - len(items)) + items for items in expected]
    assert padded.dtype == np.int32


def test_repeats_in_one_history_do_not_widen_those_of_all():
    """Such as that of a robot."""
    item_ids = np.concatenate([[3, 4], np.tile([7, 5, 6], 100)]).astype(np.int32)
    histories = Histories(item_ids, np.array([0, 2]), np.array([2, 302]))
    padded = histories.padded(np.array([1, 0]), distinct=True)
    assert padded.tolist() == [[5, 6, 7], [0, 3, 4]]


def test_inputs_and_targets_are_a_step_apart():
    histories = but_for_last(LOG, 2).longer_than(1)
    assert visible(LOG, histories.without_last()) == ["ab", "ace"]
    assert visible(LOG, histories.without_first()) == ["bc", "ceg"]


def test_padding_of_empty_histories_is_one_column():
    none = np.zeros(2, np.int64)
    assert Histories(np.zeros(0, np.int32), none, none).padded(np.array([1, 0])).tolist() == [
        [0],
        [0],
    ]


@pytest.mark.parametrize("first", [0, 3, 50, 170])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_covers_agrees_with_marking_each_history(first, size, random_log):
    """Also histories that begin before the part or end after it, and empty ones."""
    log = random_log(2, users=40, items=9, shortest=2, longest=20)
    histories = but_for_last(log, 2)
    marked = np.zeros(log.num_actions, dtype=bool)
    for start, end in zip(histories.starts, histories.ends, strict=True):
        marked[start:end] = True
    assert (histories.lengths == 0).any()
    part = slice(first, first + size)
    assert histories.covers(part).tolist() == marked[part].tolist()
