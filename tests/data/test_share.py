import numpy as np
import pytest

from tf_iclrec import ViewRatios, evaluation_batches, leave_one_out, sequence_batches
from tf_iclrec.data.batches import training_batches
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.item_sampler import Sampling
from tf_iclrec.data.share import Share
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.data.tasks import Cloze

# All that can be in a batch.
EVERYTHING = {"negatives": True, "views": ViewRatios(), "futures": True}


@pytest.fixture(scope="module")
def split():
    return leave_one_out(planted_intents(num_users=50, num_items=60, num_intents=3)[0])


def parts_of(make, shares):
    """The batches of each replica, by number of the replica."""
    found = {}
    for share in shares:
        batches = list(make(share=share).as_numpy_iterator())
        for replica in range(share.local):
            found[share.first + replica] = batches[replica :: share.local]
    return [found[replica] for replica in sorted(found)]


def check_shared_out(make, shares):
    """The replicas' rows, taken in turns, are the batches of a single process."""
    whole = list(make().as_numpy_iterator())
    parts = parts_of(make, shares)
    assert {len(part) for part in parts} == {len(whole)}
    for step, batch in enumerate(whole):
        for name, expected in batch.items():
            for replica, part in enumerate(parts):
                own = expected if name.startswith("sampled") else expected[replica :: len(parts)]
                if name == "seen_ids":  # As wide as what this process reads.
                    padding, own = np.split(own, [-part[step][name].shape[1]], axis=1)
                    assert not padding.any()
                np.testing.assert_array_equal(part[step][name], own, err_msg=name)


# 50 users in batches of 16: two are left for three replicas in the last one.
ONE_EACH = [Share(first, 1, 3) for first in range(3)]


@pytest.mark.parametrize("shares", [ONE_EACH, [Share(0, 2, 4), Share(2, 2, 4)], [Share(0, 2, 2)]])
def test_replicas_share_out_what_one_process_trains_on(split, shares):
    sampling = Sampling("popularity", 7)
    check_shared_out(
        lambda **share: training_batches(split, 16, sampling=sampling, **EVERYTHING, **share),
        shares,
    )


def test_the_targets_of_all_replicas_are_everyones_samples(split):
    sampling = Sampling("in_batch", 0)
    check_shared_out(
        lambda **share: training_batches(split, 16, sampling=sampling, **share), ONE_EACH
    )


def test_masks_are_those_of_one_process(split):
    check_shared_out(lambda **share: training_batches(split, 16, task=Cloze(), **share), ONE_EACH)


def test_evaluations_and_e_steps_are_shared_out(split):
    check_shared_out(lambda **share: evaluation_batches(split, "valid", 16, **share), ONE_EACH)
    check_shared_out(lambda **share: sequence_batches(split, 16, **share), ONE_EACH)


def test_a_process_reads_its_own_rows_alone(split, monkeypatch):
    read, padded = [], Histories.padded

    def recorded(self, rows, max_length=None, least=1, distinct=False, needed=None):
        read.append((len(rows), int(needed.sum())))
        return padded(self, rows, max_length, least, distinct, needed)

    monkeypatch.setattr(Histories, "padded", recorded)
    list(training_batches(split, 16, share=Share(2, 1, 3)))
    assert set(read) == {(16, 5), (2, 0)}
