import numpy as np
import pytest

from tf_iclrec import Interactions, UserError, leave_one_out
from tf_iclrec.data.splits.registry import SPLITS

LOG = Interactions.from_sequences({"ann": list("abcde"), "bob": list("fgh"), "cat": list("acegik")})


def visible(log, histories):
    return [
        "".join(log.items.decode(histories.item_ids[start:end]))
        for start, end in zip(histories.starts, histories.ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("train", ["abc", "f", "aceg"]),
        ("valid", ["abc", "f", "aceg"]),
        ("test", ["abcd", "fg", "acegi"]),
    ],
)
def test_the_last_items_are_hidden(part, expected):
    split = leave_one_out(LOG)
    histories = split.train if part == "train" else split.held_out(part).histories
    assert visible(LOG, histories) == expected
    assert histories.lengths.tolist() == list(map(len, expected))


@pytest.mark.parametrize(("part", "expected"), [("valid", "dgi"), ("test", "ehk")])
def test_the_target_follows_the_history(part, expected):
    held_out = leave_one_out(LOG).held_out(part)
    assert "".join(LOG.items.decode(held_out.target_ids)) == expected
    histories = held_out.histories
    assert "".join(LOG.items.decode(histories.item_ids[histories.ends])) == expected
    assert held_out.target_ids.dtype == np.int32


@pytest.mark.parametrize("part", ["valid", "test"])
def test_every_user_has_an_item_held_out(part):
    users = leave_one_out(LOG).held_out(part).users
    assert (users.tolist(), users.dtype) == ([0, 1, 2], np.int64)


def test_short_users_are_left_out():
    log = Interactions.from_sequences({"a": "xy", "b": "vwv", "c": "z", "d": "vwzw"})
    kept = leave_one_out(log).interactions
    assert kept.users.tolist() == ["b", "d"]
    assert kept.items.ids.tolist() == ["v", "w", "z"]
    assert log.num_users - kept.num_users == 2


def test_the_parts_are_those_of_the_users_that_are_left():
    split = leave_one_out(
        Interactions.from_sequences({"a": "xy", "b": "vwv", "c": "z", "d": "vwzw"})
    )
    log = split.interactions
    assert visible(log, split.train) == ["v", "vw"]
    assert visible(log, split.test.histories) == ["vw", "vwz"]
    assert "".join(log.items.decode(split.valid.target_ids)) == "wz"
    assert "".join(log.items.decode(split.test.target_ids)) == "vw"


def test_log_without_short_users_stays():
    assert leave_one_out(LOG).interactions is LOG


def test_log_of_only_short_users_is_refused():
    log = Interactions.from_sequences({"a": "xy", "b": "x"})
    with pytest.raises(UserError, match="None of the 2 users has the 3 items"):
        leave_one_out(log)


def test_it_has_a_name():
    assert SPLITS["leave_one_out"] is leave_one_out
