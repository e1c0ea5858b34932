import dataclasses

import numpy as np
import pytest

from tf_iclrec import Interactions, UserError, by_time
from tf_iclrec.data.splits.registry import SPLITS
from tf_iclrec.data.times import format_time, parse_time

DAY = 86_400_000_000


def day(number):
    return format_time(number * DAY)


def expected(log, begin, end, targets):
    """User, history and target of each question, one by one."""
    found = []
    for user in range(log.num_users):
        first, last = log.offsets[user], log.offsets[user + 1]
        places = [p for p in range(first + 1, last) if begin <= log.times[p] < end]
        if targets == "last":
            places = places[-1:]
        if targets == "first":
            places = places[:1]
        found += [(user, log.item_ids[first:p].tolist(), log.item_ids[p]) for p in places]
    return found


def questions(held_out):
    parts = held_out.histories
    return [
        (user, parts.item_ids[start:end].tolist(), target)
        for user, start, end, target in zip(
            held_out.users, parts.starts, parts.ends, held_out.target_ids, strict=True
        )
    ]


@pytest.mark.parametrize("targets", ["last", "first", "all"])
@pytest.mark.parametrize("seed", range(5))
def test_parts_are_those_found_one_by_one(timed_log, seed, targets):
    log = timed_log(seed)
    split = by_time(log, day(9), test_at=day(14), targets=targets)
    assert split.interactions is log
    for user, (start, end) in enumerate(zip(split.train.starts, split.train.ends, strict=True)):
        own = slice(log.offsets[user], log.offsets[user + 1])
        seen = log.item_ids[own][log.times[own] < 9 * DAY]
        assert split.train.item_ids[start:end].tolist() == seen.tolist()
    assert questions(split.valid) == expected(log, 9 * DAY, 14 * DAY, targets)
    assert questions(split.test) == expected(log, 14 * DAY, 99 * DAY, targets)
    assert split.test.target_ids.dtype == np.int32
    assert split.test.users.dtype == np.int64


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_said(timed_log, seed):
    log = timed_log(seed)
    split = by_time(log, day(9), test_at=day(14))
    line, *notes = split.summary().splitlines()
    asked = {user for part in (split.valid, split.test) for user in part.users}
    late = {u for u in range(log.num_users) if log.times[log.offsets[u + 1] - 1] >= 9 * DAY}
    trained = set(log.item_ids[log.times < 9 * DAY])
    never = sum(item not in trained for item in range(3, 3 + log.num_items))
    users = sum(log.times[log.offsets[:-1]] < 9 * DAY)
    assert line == (
        "Split: by time, trained before 1970-01-10 (what is at that moment is held out), tested "
        f"from 1970-01-15, each user's last item: {users} users trained on, "
        f"{len(split.valid.users)} validation targets, {len(split.test.users)} test targets, "
        f"{never} items never trained on"
    )
    left = len(late - asked)
    assert [note.split(" have")[0] for note in notes] == (
        [f"{left} of {len(late)} users after the cut"] if left else []
    )


def test_users_without_anything_before_are_left_out_and_counted():
    log = Interactions.from_columns(
        np.array([0, 0, 1, 2, 2]), ["ann", "bob", "cat"], np.array(list("abcab")),
        np.array([1, 3, 4, 2, 4]) * DAY,
    )  # fmt: skip
    split = by_time(log, day(3), test_at=day(4))
    assert (split.valid.users.tolist(), split.test.users.tolist()) == ([0], [2])
    assert split.notes == (
        "1 of 3 users after the cut have no item before their only one and are not asked for it.",
    )
    # Their rows are those of unknown users.
    assert split.trained_rows(np.arange(3)).tolist() == [0, -1, 2]


def test_a_share_is_that_of_the_latest_interactions(timed_log):
    log = timed_log(0)
    split = by_time(log, "0.3")
    order = np.sort(log.times)
    begin = order[len(order) - round(0.3 * len(order))]
    held_out = order[order >= begin]
    middle = held_out[len(held_out) - round(0.5 * len(held_out))]
    same = by_time(log, format_time(begin), test_at=format_time(middle))
    for part in ("valid", "test"):
        assert questions(split.held_out(part)) == questions(same.held_out(part))
    assert split.train.lengths.sum() == (log.times < begin).sum() <= 0.7 * log.num_actions


def test_nothing_after_the_end_is_read(timed_log):
    log = timed_log(1)
    split = by_time(log, day(9), test_at=day(12), until=day(15))
    cut = log.select(log.times < 15 * DAY)
    assert split.interactions.num_actions == cut.num_actions < log.num_actions
    assert questions(split.test) == expected(cut, 12 * DAY, 15 * DAY, "last")
    assert "tested from 1970-01-13 until 1970-01-16" in split.how


def test_dates_are_read_in_utc():
    assert parse_time("1970-01-02T01:00:00+01:00") == parse_time("1970-01-02") == DAY


BAD = {
    "before all": ((day(1),), "Nothing is before the cut at 1970-01-02: the log is from"),
    "after all": (("2030-01-01",), "Nothing is after the cut at 2030-01-01: the log is from"),
    "no date": (("soon",), "'soon' is no date"),
    "no share": (("1.5",), "1.5 is neither a date nor a share"),
    "test before the cut": ((day(9), day(8)), "The test can't begin at 1970-01-09"),
    "test after all": ((day(9), day(50)), "The test can't begin at 1970-02-20"),
    "end before all": ((day(9), "", "1960-01-01"), "Nothing is before 1960-01-01"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_cuts_are_refused(case):
    arguments, message = BAD[case]
    times = np.array([1, 5, 9, 12, 3, 10]) * DAY
    log = Interactions.from_columns(
        np.array([0, 0, 0, 0, 1, 1]), ["ann", "bob"], np.array(list("abcdab")), times
    )
    with pytest.raises(UserError, match=message):
        by_time(log, *arguments)


def test_a_time_in_which_nobody_can_be_asked_is_refused():
    log = Interactions.from_columns(
        np.array([0, 0, 1]), ["ann", "bob"], np.array(list("abc")), np.array([1, 2, 9]) * DAY
    )
    with pytest.raises(UserError, match="no item for the test: nobody has one"):
        by_time(log, day(2), test_at=day(5))


def test_a_log_without_times_is_refused(timed_log):
    log = dataclasses.replace(timed_log(0), times=None)
    with pytest.raises(UserError, match="The log has no times"):
        by_time(log)


def test_it_has_a_name():
    assert SPLITS["time"] is by_time
