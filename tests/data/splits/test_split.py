import pandas as pd
import pytest

from tf_iclrec import Interactions, UserError, by_time, leave_one_out
from tf_iclrec.data.splits.everything import everything

LOG = Interactions.from_sequences({"ann": list("abcde"), "bob": list("fgh"), "cat": list("acegik")})


def test_a_held_out_part_is_asked_for_by_name():
    split = leave_one_out(LOG)
    assert split.held_out("valid") is split.valid
    assert split.held_out("test") is split.test


@pytest.mark.parametrize("part", ["validation", "train", "interactions"])
def test_an_unknown_part_is_refused(part):
    with pytest.raises(ValueError, match=f"valid or test, not '{part}'"):
        leave_one_out(LOG).held_out(part)


def test_the_catalogue_is_that_of_the_users_that_are_left():
    log = Interactions.from_sequences({"ann": "abca", "bob": "xy"})
    log = log.with_item_providers({"a": "acme", "x": "best"})
    log = log.with_item_attribute("kind", {"b": "new"})
    catalogue = leave_one_out(log).catalogue
    assert (catalogue.num_items, catalogue.num_users, catalogue.vocabulary_size) == (3, 1, 6)
    assert catalogue.providers.vocabulary.ids.tolist() == ["acme"]
    assert list(catalogue.attributes) == ["kind"]


def test_training_counts_leave_the_held_out_items_out():
    counts = leave_one_out(LOG).training_counts.tolist()
    counts = dict(zip(LOG.items.ids, counts, strict=True))
    assert counts == dict(zip("abcdefghik", [2, 1, 2, 0, 1, 1, 1, 0, 0, 0], strict=True))


def test_training_counts_of_users_with_fewer_items_than_are_held_out():
    log = Interactions.from_sequences({"ann": "xyxz", "bob": "y", "cat": "yx", "dan": "zzx"})
    assert leave_one_out(log).training_counts.tolist() == [1, 1, 1]


def test_training_counts_do_not_depend_on_how_many_are_counted_at_once(monkeypatch, random_log):
    log = random_log(0, users=40, items=9, shortest=1, longest=20)
    expected = leave_one_out(log).training_counts
    monkeypatch.setattr("tf_iclrec.data.arrays.BLOCK", 7)
    assert leave_one_out(log).training_counts.tolist() == expected.tolist()
    assert expected.sum() == sum(length - 2 for length in log.lengths if length >= 3)


@pytest.mark.parametrize("split", [leave_one_out, by_time, everything])
def test_a_table_is_no_log_yet(split):
    table = pd.DataFrame({"user": ["ann"] * 3, "item": ["tea", "jam", "oil"]})
    with pytest.raises(UserError, match=r"are a DataFrame.*load_interactions\(table\) makes one"):
        split(table)
