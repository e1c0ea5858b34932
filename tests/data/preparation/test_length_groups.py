"""Groups of users by the length of their histories."""

import numpy as np
import pytest

from tf_iclrec import Selection, UserError, load_interactions
from tf_iclrec.data.preparation.prepare_log import reduce_log
from tf_iclrec.data.prepared import read_prepared

from .prepare_here import run


def group_of(log, group, **selection):
    return reduce_log(log, Selection(users_by_length=group, **selection))


@pytest.mark.parametrize("block", [7, 1 << 22])
def test_groups_are_equally_large_and_in_order_of_length(
    block, random_log, raw_sequences, monkeypatch
):
    monkeypatch.setattr("tf_iclrec.data.arrays.BLOCK", block)
    log = random_log(2, users=100, items=30, shortest=3, longest=8)
    sequences, groups = raw_sequences(log), []
    for number in (1, 2, 3):
        made = group_of(log, f"{number}/3")
        groups.append(raw_sequences(made.log))
        rest = log.num_actions - made.log.num_actions
        assert made.dropped == {"of users in other groups": rest}
        # Nothing is known of the items of others.
        there = {item for items in groups[-1].values() for item in items}
        assert set(made.log.items.ids) == there
    assert [len(group) for group in groups] == [34, 33, 33]
    assert groups[0] | groups[1] | groups[2] == sequences
    lengths = [sorted(map(len, group.values())) for group in groups]
    assert lengths[0][-1] <= lengths[1][0]
    assert lengths[1][-1] <= lengths[2][0]


def test_who_is_as_long_as_others_is_drawn_and_always_the_same(random_log):
    log = random_log(3, users=100, items=30, shortest=5, longest=5)
    first, second = (group_of(log, "1/2").log.users.tolist() for _ in range(2))
    assert first == second
    places = np.flatnonzero(np.isin(log.users, first))
    assert len(places) == 50
    assert places.mean() == pytest.approx(49.5, abs=10)


def test_the_core_is_that_of_all_users(random_log, raw_sequences):
    log = random_log(4, users=60, items=45, shortest=1, longest=11)
    core = reduce_log(log, Selection(min_user_count=3, min_item_count=3)).log
    made = group_of(log, "2/2", min_user_count=3, min_item_count=3)
    assert raw_sequences(made.log) == raw_sequences(group_of(core, "2/2").log)
    assert made.rounds


def test_a_prepared_group_stays_one_when_newer_data_is_added(tmp_path, output):
    header = "user_id,item_id,timestamp\n"
    rows = ["ann,tea,1\n", "ann,jam,2\n", "bob,tea,1\n"]
    log, newer = tmp_path / "log.csv", tmp_path / "newer.csv"
    log.write_text(header + "".join(rows))
    newer.write_text(header + "ann,egg,3\ncat,tea,4\n")
    run("--data", log, "--output", output, "--users-by-length", "2/2")
    assert read_prepared(output).users.tolist() == ["ann"]
    run("--data", newer, "--append", output)
    assert read_prepared(output).users.tolist() == ["ann", "cat"]
    assert load_interactions(output, users_by_length="1/2").users.tolist() == ["cat"]


@pytest.mark.parametrize("group", ["0/3", "4/3", "third", "1/0", "-1/3", "1/3/5", "¹/3"])
def test_no_group_is_refused(group, random_log):
    with pytest.raises(UserError, match=f"--users-by-length {group} is no group: write 1/3"):
        Selection(users_by_length=group).check()


def test_more_groups_than_users_are_refused(random_log):
    log = random_log(5, users=3, items=9, shortest=3, longest=3)
    with pytest.raises(UserError, match="3 users can't be divided into 4 groups"):
        group_of(log, "1/4")
