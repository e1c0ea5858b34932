"""The batches of evaluations and of the E-step against plain loops over users."""

import dataclasses

import numpy as np
import pytest

from tf_iclrec import Interactions, evaluation_batches, leave_one_out, sequence_batches
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.split import HeldOut

from .batch_rows import USERS, batches_of, rows_of, sequences_of, without_padding

# Evaluation


@pytest.mark.parametrize("max_length", [3, 50])
@pytest.mark.parametrize(("part", "held_out"), [("valid", 2), ("test", 1)])
def test_evaluation_rows_agree_with_a_plain_loop(log, part, held_out, max_length):
    expected = [
        (
            sequence[:-held_out][-max_length:],
            sequence[-held_out],
            sorted(set(sequence[:-held_out])),
        )
        for sequence in sequences_of(log)
    ]
    actual = []
    for batch in batches_of(evaluation_batches(leave_one_out(log), part, 16, max_length)):
        inputs, seen = (map(without_padding, batch[name]) for name in ("item_ids", "seen_ids"))
        actual += zip(inputs, batch["target_ids"].tolist(), seen, strict=True)
    assert sorted(actual) == sorted(expected)


@pytest.mark.parametrize("max_length", [3, 50])
@pytest.mark.parametrize(("part", "held_out"), [("valid", 2), ("test", 1)])
def test_evaluation_inputs_stand_beside_their_providers(provider_log, part, held_out, max_length):
    pairs = zip(sequences_of(provider_log), sequences_of(provider_log, "provider_ids"), strict=True)
    expected = [
        (items[:-held_out][-max_length:], providers[:-held_out][-max_length:])
        for items, providers in pairs
    ]
    dataset = evaluation_batches(leave_one_out(provider_log), part, 16, max_length)
    assert sorted(rows_of(dataset, "item_ids", "provider_ids")) == sorted(expected)


def test_evaluation_rows_say_whose_they_are(log):
    sequences, seen = sequences_of(log), []
    for batch in batches_of(evaluation_batches(leave_one_out(log), "test", 16)):
        inputs = [without_padding(ids) for ids in batch["item_ids"]]
        assert inputs == [sequences[user][:-1] for user in batch["users"]]
        seen += batch["users"].tolist()
    assert sorted(seen) == list(range(USERS))


def test_evaluation_rows_have_their_number_in_the_held_out_part(log):
    """Of users who come in another order, and one of them twice."""
    split = leave_one_out(log)
    order = np.array([4, 2, 0, 2])
    held_out = HeldOut(
        split.test.users[order], split.test.histories.rows(order), split.test.target_ids[order]
    )
    split = dataclasses.replace(split, test=held_out)
    (batch,) = batches_of(evaluation_batches(split, "test"))
    assert sorted(batch["rows"].tolist()) == [0, 1, 2, 3]
    sequences = sequences_of(log)
    for row, user, ids, target in zip(
        *(batch[name] for name in ("rows", "users", "item_ids", "target_ids")), strict=True
    ):
        assert user == order[row]
        assert [*without_padding(ids), target] == sequences[user]


def test_evaluation_without_filter_has_no_seen_items(log, monkeypatch):
    padded, looked = Histories.padded, []

    def noted(histories, rows, max_length, least, distinct, needed):
        looked.append(distinct)
        return padded(histories, rows, max_length, least, distinct, needed)

    monkeypatch.setattr(Histories, "padded", noted)
    for batch in batches_of(evaluation_batches(leave_one_out(log), "test", 16, filter_seen=False)):
        assert batch["seen_ids"].shape == (len(batch["target_ids"]), 0)
    assert looked
    assert not any(looked)


def test_evaluation_goes_by_length_and_stays_the_same(log):
    dataset = evaluation_batches(leave_one_out(log), "test", 16)
    rows = rows_of(dataset, "item_ids")
    assert [len(ids) for (ids,) in rows] == sorted(len(s) - 1 for s in sequences_of(log))
    assert rows_of(dataset, "item_ids") == rows


def test_a_user_without_history_is_not_evaluated():
    split = leave_one_out(Interactions.from_sequences({"a": "x", "b": "xyz"}))
    (batch,) = batches_of(evaluation_batches(split, "valid"))
    assert split.interactions.users[batch["users"]].tolist() == ["b"]


# Sequences for the E-step


def test_sequence_batches_hold_the_training_inputs_in_a_stable_order(log):
    dataset = sequence_batches(leave_one_out(log), batch_size=16, max_length=5)
    rows = rows_of(dataset, "item_ids")
    training = [sequence[:-2] for sequence in sequences_of(log)]
    assert sorted(rows) == sorted((items[:-1][-5:],) for items in training if len(items) >= 2)
    assert rows_of(dataset, "item_ids") == rows
    assert [len(ids) for (ids,) in rows] == sorted(len(ids) for (ids,) in rows)


def test_sequence_batches_hold_the_providers_of_the_training_inputs(provider_log):
    pairs = zip(sequences_of(provider_log), sequences_of(provider_log, "provider_ids"), strict=True)
    expected = [(items[:-3][-5:], providers[:-3][-5:]) for items, providers in pairs if items[:-3]]
    dataset = sequence_batches(leave_one_out(provider_log), batch_size=16, max_length=5)
    assert sorted(rows_of(dataset, "item_ids", "provider_ids")) == sorted(expected)


# Parts of a log


def test_a_sample_of_users_is_drawn_once_and_for_all(log):
    for make in (
        lambda **most: sequence_batches(leave_one_out(log), 16, 5, **most),
        lambda **most: evaluation_batches(leave_one_out(log), "test", 16, **most),
    ):
        everyone = rows_of(make(), "item_ids")
        some = rows_of(make(max_users=20), "item_ids")
        assert len(some) == 20
        assert all(row in everyone for row in some)
        assert some == rows_of(make(max_users=20), "item_ids")
        assert rows_of(make(max_users=USERS), "item_ids") == everyone
