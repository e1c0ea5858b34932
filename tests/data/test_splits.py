import numpy as np
import pytest

from tf_iclrec import Interactions, UserError
from tf_iclrec.data import splits
from tf_iclrec.data.splits import Histories, drop_short_users, split_histories, training_counts

LOG = Interactions.from_sequences({"ann": list("abcde"), "bob": list("fgh"), "cat": list("acegik")})


def visible(log, histories):
    return [
        "".join(log.items.decode(histories.item_ids[start:end]))
        for start, end in zip(histories.starts, histories.ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", ["abc", "f", "aceg"]),
        ("valid", ["abc", "f", "aceg"]),
        ("test", ["abcd", "fg", "acegi"]),
    ],
)
def test_leave_one_out_hides_the_last_items(split, expected):
    histories = split_histories(LOG, split)
    assert visible(LOG, histories) == expected
    assert histories.lengths.tolist() == list(map(len, expected))


@pytest.mark.parametrize(("split", "expected"), [("valid", "dgi"), ("test", "ehk")])
def test_target_follows_the_history(split, expected):
    histories = split_histories(LOG, split)
    assert "".join(LOG.items.decode(histories.item_ids[histories.ends])) == expected


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="train, valid, test, not 'validation'"):
        split_histories(LOG, "validation")


@pytest.mark.parametrize(
    ("length", "expected"), [(0, ["abc", "f", "aceg"]), (1, ["abc", "aceg"]), (3, ["aceg"])]
)
def test_longer_than_is_strict(length, expected):
    assert visible(LOG, split_histories(LOG, "train").longer_than(length)) == expected


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distinct_agrees_with_sets(seed, split, random_log):
    log = random_log(seed, users=80, items=9, shortest=2, longest=20)
    histories = split_histories(log, split)
    distinct = histories.distinct()
    for row, (start, end) in enumerate(zip(histories.starts, histories.ends, strict=True)):
        items = distinct.item_ids[distinct.starts[row] : distinct.ends[row]].tolist()
        assert items == sorted(set(log.item_ids[start:end].tolist()))
    assert distinct.item_ids.dtype == np.int32


def test_distinct_of_some_rows_holds_only_their_items():
    distinct = split_histories(LOG, "train").longer_than(3).distinct()
    assert LOG.items.decode(distinct.item_ids).tolist() == list("aceg")


def test_distinct_of_no_rows_is_empty():
    none = np.zeros(0, np.int64)
    assert Histories(LOG.item_ids, none, none).distinct().lengths.tolist() == []


def test_joined_histories_are_the_same_in_an_array_of_their_own():
    histories = split_histories(LOG, "train").longer_than(1)
    joined = histories.joined()
    assert visible(LOG, joined) == visible(LOG, histories) == ["abc", "aceg"]
    assert joined.item_ids.size == 7


@pytest.mark.parametrize("max_length", [None, 1, 3, 50])
def test_padded_histories_end_with_the_last_items(max_length, random_log):
    log = random_log(4, users=40, items=30, shortest=2, longest=20)
    histories = split_histories(log, "train")
    rows = np.array([5, 0, 39, 5])
    padded = histories.padded(rows, max_length)
    expected = [log.item_ids[histories.starts[row] : histories.ends[row]] for row in rows]
    expected = [items[-(max_length or 50) :].tolist() for items in expected]
    assert [row[row != 0].tolist() for row in padded] == expected
    assert padded.shape == (4, max(1, *map(len, expected)))
    assert (np.sort(padded != 0, axis=1) == (padded != 0)).all()


def test_padding_is_as_wide_as_asked_for():
    histories = split_histories(LOG, "train")
    assert histories.padded(np.array([0, 1]), 4, least=4).shape == (2, 4)


@pytest.mark.parametrize("seed", [0, 1])
def test_padded_distinct_items_agree_with_sets(seed, random_log):
    log = random_log(seed, users=80, items=9, shortest=2, longest=20)
    histories = split_histories(log, "test")
    padded = histories.padded(np.arange(80), distinct=True)
    for row, start, end in zip(padded, histories.starts, histories.ends, strict=True):
        items = sorted(set(log.item_ids[start:end].tolist()))
        assert row.tolist() == [0] * (len(row) - len(items)) + items


def test_inputs_and_targets_are_a_step_apart():
    histories = split_histories(LOG, "train").longer_than(1)
    assert visible(LOG, histories.without_last()) == ["ab", "ace"]
    assert visible(LOG, histories.without_first()) == ["bc", "ceg"]


def test_padding_of_empty_histories_is_one_column():
    none = np.zeros(2, np.int64)
    assert Histories(np.zeros(0, np.int32), none, none).padded(np.array([1, 0])).tolist() == [
        [0],
        [0],
    ]


def test_training_counts_leave_the_held_out_items_out():
    counts = dict(zip(LOG.items.ids, training_counts(LOG).tolist(), strict=True))
    assert counts == dict(zip("abcdefghik", [2, 1, 2, 0, 1, 1, 1, 0, 0, 0], strict=True))


def test_training_counts_of_users_with_fewer_items_than_are_held_out():
    log = Interactions.from_sequences({"ann": "xyxz", "bob": "y", "cat": "yx", "dan": "zzx"})
    assert training_counts(log).tolist() == [1, 1, 1]


def test_training_counts_do_not_depend_on_how_many_are_counted_at_once(monkeypatch, random_log):
    log = random_log(0, users=40, items=9, shortest=1, longest=20)
    expected = training_counts(log)
    monkeypatch.setattr(splits, "_COUNTED_AT_ONCE", 7)
    assert training_counts(log).tolist() == expected.tolist()


def test_short_users_are_dropped_and_counted():
    log = Interactions.from_sequences({"a": "xy", "b": "vwv", "c": "z", "d": "vwzw"})
    kept, dropped = drop_short_users(log)
    assert dropped == 2
    assert kept.users.tolist() == ["b", "d"]
    assert kept.items.ids.tolist() == ["v", "w", "z"]


def test_log_without_short_users_stays():
    kept, dropped = drop_short_users(LOG)
    assert dropped == 0
    assert kept.num_actions == LOG.num_actions


def test_log_of_only_short_users_is_refused():
    log = Interactions.from_sequences({"a": "xy", "b": "x"})
    with pytest.raises(UserError, match="None of the 2 users has the 3 items"):
        drop_short_users(log)
