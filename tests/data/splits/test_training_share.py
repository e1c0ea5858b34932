import dataclasses

import numpy as np
import pytest

from tf_iclrec import Interactions, by_time, leave_one_out, make_config, training_batches
from tf_iclrec.data.splits.training_share import train_on_share
from tf_iclrec.runs import split_of


@pytest.fixture(scope="module")
def split(random_log):
    return leave_one_out(random_log(1, users=203, items=50, shortest=3, longest=12))


def trained(split):
    return set(np.flatnonzero(split.train.lengths))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.5, 0.99])
def test_so_many_users_are_trained_on_and_all_are_evaluated(split, share):
    some = train_on_share(split, share)
    assert len(trained(some)) == max(1, round(share * 203))
    for part in ("valid", "test"):
        assert some.held_out(part) is split.held_out(part)
    assert some.catalogue == split.catalogue
    # Whose sequence is trained on has all of it.
    users = sorted(trained(some))
    np.testing.assert_array_equal(some.train.lengths[users], split.train.lengths[users])
    ids = some.train.rows(np.array(users)).joined().item_ids
    counts = np.bincount(ids, minlength=some.interactions.items.size)[3:]
    np.testing.assert_array_equal(some.training_counts, counts)
    assert (some.trained_rows(np.arange(203)) >= 0).sum() == len(users)
    assert f"; {share:g} of the users trained on" in some.summary()
    assert f"{len(users)} users trained on, 203 validation targets" in some.summary()


def test_a_smaller_share_is_part_of_a_larger_and_the_seed_says_which(split):
    tenth, quarter, half = (trained(train_on_share(split, share)) for share in (0.1, 0.25, 0.5))
    assert tenth < quarter < half
    assert quarter == trained(train_on_share(split, 0.25))
    other = trained(train_on_share(split, 0.25, training_share_seed=1))
    assert other != quarter
    assert len(other) == len(quarter)
    # Not the first ones of the log.
    assert max(quarter) > 150


def test_everybody_is_the_split_itself(split):
    assert train_on_share(split) is split


def test_batches_are_of_these_users_alone(split):
    # With two items that can be trained on.
    some = train_on_share(split, 0.3)
    users = np.concatenate([batch["users"] for batch in training_batches(some, batch_size=16)])
    assert sorted(users.tolist()) == [u for u in sorted(trained(some)) if some.train.lengths[u] > 1]


def test_who_has_nothing_before_the_cut_is_nobody_to_draw():
    log = Interactions.from_sequences({f"u{user}": "ab" for user in range(10)})
    times = np.arange(20) + np.repeat([0, 100], 10)  # The later five users come after the cut.
    split = by_time(dataclasses.replace(log, times=times * 1_000_000), "1970-01-01T00:01:00")
    assert trained(train_on_share(split, 0.4)) < trained(split)
    assert len(trained(train_on_share(split, 0.4))) == 2


@pytest.mark.parametrize("model", ["iclrec", "ease"])
def test_it_is_a_setting_of_every_model(model, split):
    config = make_config(model=model, training_share=0.25, training_share_seed=7)
    assert dict(config.trained_on) == {"training_share": 0.25, "training_share_seed": 7}
    expected = trained(train_on_share(split, 0.25, 7))
    assert trained(split_of(config, split.interactions)) == expected


def test_no_share_is_refused():
    for share in (0.0, 1.5):
        with pytest.raises(ValueError, match="must be above 0 and at most 1"):
            make_config(training_share=share)
