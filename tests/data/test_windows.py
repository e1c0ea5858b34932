"""Histories longer than a model reads, trained on in windows."""

import collections

import numpy as np
import pytest

from tf_iclrec import Interactions, leave_one_out, training_batches
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.tasks import Cloze, NextItem, OwnItems
from tf_iclrec.data.training_rows import num_training_steps, training_rows

# Training parts of 23, 5, 4, 2 and 1 items: the last two of each are held out.
LENGTHS = {"ann": 25, "bob": 7, "cat": 6, "dan": 4, "eve": 3}
LOG = Interactions.from_sequences(
    {user: [f"{user}{place:02}" for place in range(n)] for user, n in LENGTHS.items()}
)
SPLIT = leave_one_out(LOG)


def pairs(batches):
    """How often each (item, next item, user) is trained on in an epoch."""
    counts = collections.Counter()
    for batch in batches:
        real = batch["target_ids"].numpy() > 0
        users = np.broadcast_to(batch["users"].numpy()[:, np.newaxis], real.shape)
        decode = SPLIT.interactions.items.decode
        items = (decode(batch[name].numpy()[real]) for name in ("item_ids", "target_ids"))
        counts.update(zip(*items, SPLIT.interactions.users[users[real]], strict=True))
    return counts


@pytest.mark.parametrize("max_length", [1, 4, 5, 22, 50])
def test_every_item_is_the_next_of_another_once_in_an_epoch(max_length):
    trained = pairs(training_batches(SPLIT, 3, max_length=max_length, windows=True))
    expected = {
        (f"{user}{place:02}", f"{user}{place + 1:02}", user)
        for user, n in LENGTHS.items()
        for place in range(n - 3)
    }
    assert trained == dict.fromkeys(expected, 1)


def test_without_them_only_the_last_items_are():
    trained = pairs(training_batches(SPLIT, 3, max_length=4))
    of_ann = sorted(first for first, _, user in trained if user == "ann")
    assert of_ann == ["ann18", "ann19", "ann20", "ann21"]


def test_no_window_is_longer_than_the_model_reads():
    batches = training_batches(SPLIT, 3, max_length=4, windows=True)
    assert max(batch["item_ids"].shape[1] for batch in batches) == 4


@pytest.mark.parametrize(
    ("task", "windows"), [(NextItem(), 6 + 1 + 1 + 1), (Cloze(0.5, 0.1), 6 + 2 + 1 + 1)]
)
def test_the_number_of_steps_counts_windows(task, windows):
    batches = training_batches(SPLIT, 2, max_length=4, task=task, windows=True)
    users, histories = training_rows(SPLIT, task, 4)
    assert len(users) == len(histories.starts) == windows
    assert num_training_steps(SPLIT, 2, task, 4) == len(batches) == len(list(batches)) == 5


@pytest.mark.parametrize("task", [OwnItems(), Cloze(1.0, 0.0)])
def test_tasks_that_ask_for_items_themselves_ask_for_each_once(task):
    asked = collections.Counter()
    for batch in training_batches(SPLIT, 3, max_length=4, task=task, windows=True):
        targets = batch["target_ids"].numpy()
        asked.update(LOG.items.decode(targets[targets > 0]))
    shortest = task.min_length
    expected = [
        f"{user}{place:02}"
        for user, n in LENGTHS.items()
        for place in range(n - 2)
        if n - 2 >= shortest
    ]
    assert asked == dict.fromkeys(expected, 1)


def test_positions_of_all_windows_weigh_the_same():
    batches = list(training_batches(SPLIT, 2, max_length=4, windows=True))
    weights = np.concatenate([batch["target_weights"].numpy().ravel() for batch in batches])
    weights = weights[weights > 0]
    assert len(weights) == 22 + 4 + 3 + 1
    np.testing.assert_allclose(weights, len(batches) / len(weights), rtol=1e-6)


def test_items_of_other_windows_of_the_user_are_no_negatives():
    log = Interactions.from_sequences({"ann": "abcdefgh" + "xy", "bob": "zzz"})
    split = leave_one_out(log)
    for batch in training_batches(split, max_length=2, negatives=True, windows=True):
        of_ann = split.interactions.users[batch["users"].numpy()] == "ann"
        drawn = batch["negative_ids"].numpy()[of_ann]
        assert set(log.items.decode(drawn[drawn > 0])) <= {"x", "y", "z"}


def test_windows_of_no_history_and_of_one_item():
    histories = Histories(np.arange(3, 9, dtype=np.int32), np.array([2, 3]), np.array([3, 3]))
    windows, owners = histories.windows(2)
    assert (windows.starts.tolist(), windows.ends.tolist()) == ([2, 3], [3, 3])
    assert owners.tolist() == [0, 1]
