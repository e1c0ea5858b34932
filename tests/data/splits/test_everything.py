import numpy as np

from tf_iclrec import by_time, leave_one_out
from tf_iclrec.data.splits.everything import everything, split_to_serve
from tf_iclrec.data.times import parse_time


def test_all_is_trained_on_and_nothing_held_out(timed_log):
    log = timed_log(0)
    split = everything(log)
    assert split.train.joined().item_ids.tolist() == log.item_ids.tolist()
    assert split.training_counts.sum() == log.num_actions
    assert len(split.valid.users) == len(split.test.users) == 0
    np.testing.assert_array_equal(split.train.lengths, log.lengths)


def test_what_is_served_is_trained_on_the_same_or_on_everything(timed_log):
    log = timed_log(0)
    split = leave_one_out(log)
    assert split_to_serve(split) is split
    served = split_to_serve(split, refit=True)
    # Those who could not be split, too.
    assert served.interactions.num_users == log.num_users > split.interactions.num_users


def test_what_is_served_is_not_trained_on_what_no_one_reads(timed_log):
    log = timed_log(0)
    split = by_time(log, "1970-01-06", test_at="1970-01-09", until="1970-01-13")
    served = split_to_serve(split, refit=True)
    read = np.count_nonzero(log.times < parse_time("1970-01-13"))
    assert served.training_counts.sum() == read < log.num_actions
    assert not len(served.test.users)
