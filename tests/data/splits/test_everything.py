import numpy as np

from tf_iclrec import leave_one_out
from tf_iclrec.data.splits.everything import everything, split_to_serve


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
    assert split_to_serve(split, log) is split
    served = split_to_serve(split, log, refit=True)
    # Those who could not be split, too.
    assert served.interactions.num_users == log.num_users > split.interactions.num_users
