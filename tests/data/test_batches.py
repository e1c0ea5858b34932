"""The batches against plain loops over users.

Each user of `log` has a first item that nobody else has, so that a row tells whose it is.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    Interactions,
    UserError,
    ViewRatios,
    evaluation_batches,
    leave_one_out,
    load_interactions,
    sequence_batches,
    training_batches,
)
from tf_iclrec.data.prepared import read_prepared, write_prepared
from tf_iclrec.data.splits.training_share import train_on_share
from tf_iclrec.data.tasks import OwnItems

from .batch_rows import assert_same_epoch, batches_of, rows_of, sequences_of, without_padding

VIEWED = ("item_ids", "provider_ids", "view_item_ids", "view_provider_ids")


@pytest.mark.parametrize("pad_to_max_length", [False, True])
@pytest.mark.parametrize("max_length", [3, 50])
def test_each_user_is_once_in_an_epoch_with_the_next_items_as_targets(
    log, max_length, pad_to_max_length
):
    expected = []
    for sequence in sequences_of(log):
        training = sequence[:-2]
        if len(training) >= 2:
            expected.append((training[:-1][-max_length:], training[1:][-max_length:]))
    dataset = training_batches(
        leave_one_out(log),
        batch_size=16,
        max_length=max_length,
        pad_to_max_length=pad_to_max_length,
    )
    assert sorted(rows_of(dataset, "item_ids", "target_ids")) == sorted(expected)


def test_held_out_items_are_in_no_input_target_or_view():
    sequences = {f"u{u}": [f"{u}-{i}" for i in range(4 + u % 5)] for u in range(40)}
    log = Interactions.from_sequences(sequences)
    held_out = log.items.encode([item for items in sequences.values() for item in items[-2:]])
    for batch in training_batches(leave_one_out(log), batch_size=8, views=ViewRatios()):
        for name in ("item_ids", "target_ids", "view_item_ids"):
            assert not np.isin(batch[name], held_out).any()


def test_only_what_was_asked_for_is_in_a_batch(log):
    split = leave_one_out(log)
    (plain,) = training_batches(split, batch_size=100)
    (full,) = training_batches(split, batch_size=100, negatives=True, views=ViewRatios())
    always = {"item_ids", "target_ids", "target_weights", "users"}
    assert set(plain) == always
    assert set(full) == {*always, "negative_ids", "view_item_ids"}
    ids = {tensor.dtype for name, tensor in full.items() if name.endswith("_ids")}
    assert ids == {tf.int32}
    batch, time = full["item_ids"].shape
    assert full["target_ids"].shape == full["negative_ids"].shape == (batch, time)
    assert full["view_item_ids"].shape == (batch, 2, time)
    assert (full["users"].shape, full["users"].dtype) == ((batch,), tf.int32)


def test_training_and_sequence_rows_say_whose_they_are(log):
    split, sequences = leave_one_out(log), sequences_of(log)
    trainable = [user for user, sequence in enumerate(sequences) if len(sequence) > 3]
    for dataset in (training_batches(split, batch_size=16), sequence_batches(split, 16)):
        users = []
        for batch in batches_of(dataset):
            inputs = [without_padding(ids) for ids in batch["item_ids"]]
            assert inputs == [sequences[user][:-3] for user in batch["users"]]
            users += batch["users"].tolist()
        assert sorted(users) == trainable


def test_number_of_steps_is_known(log):
    assert (log.lengths > 3).sum() == 63
    dataset = training_batches(leave_one_out(log), batch_size=10)
    assert int(dataset.cardinality()) == len(batches_of(dataset)) == 7


def test_log_without_training_pairs_is_refused():
    log = Interactions.from_sequences({"a": "xyz", "b": "xy"})
    split = leave_one_out(log)
    with pytest.raises(UserError, match="No user has two items in the training part"):
        training_batches(split)
    nothing = dataclasses.replace(split.train, ends=split.train.starts)
    with pytest.raises(UserError, match="No user has an item in the training part"):
        training_batches(dataclasses.replace(split, train=nothing), task=OwnItems())


def test_same_seed_gives_the_same_epochs(log):
    first, second = (
        training_batches(
            leave_one_out(log), batch_size=16, negatives=True, views=ViewRatios(), seed=5
        )
        for _ in range(2)
    )
    for _ in range(3):
        assert_same_epoch(batches_of(first), batches_of(second))


def test_each_batch_of_each_epoch_draws_for_itself():
    """With users who are all alike, nothing but the draws can tell two batches apart."""
    log = Interactions.from_sequences({f"u{u}": "abcdefghijkl" for u in range(20)})
    dataset = training_batches(
        leave_one_out(log), batch_size=10, negatives=True, views=ViewRatios()
    )
    batches = batches_of(dataset) + batches_of(dataset)
    for name in ("view_item_ids", "negative_ids"):
        assert len({batch[name].tobytes() for batch in batches}) == 4


def test_users_of_near_lengths_change_company():
    sequences = {f"u{n}": [f"first of {n}", *["x"] * n] for n in range(20, 50)}
    split = leave_one_out(Interactions.from_sequences(sequences))
    dataset = training_batches(split, batch_size=5, max_length=60)
    first, second = (
        {
            frozenset(ids[ids > 0].min() for ids in batch["item_ids"])
            for batch in batches_of(dataset)
        }
        for _ in range(2)
    )
    assert len(first & second) <= 2  # of six


@pytest.mark.parametrize("difference", ["epoch", "seed"])
def test_order_company_negatives_and_views_differ_by(difference, log):
    split = leave_one_out(log)
    settings = {"batch_size": 10, "negatives": True, "views": ViewRatios()}
    dataset = training_batches(split, seed=5, **settings)
    first = batches_of(dataset)
    other = training_batches(split, seed=6, **settings) if difference == "seed" else dataset
    second = batches_of(other)

    def users(epoch):
        return [frozenset(map(tuple, map(without_padding, b["item_ids"]))) for b in epoch]

    def drawn(epoch, name):
        """What was drawn for each sequence, without the padding of its batch."""
        return {
            tuple(without_padding(ids)): [int(value) for value in np.ravel(values) if value]
            for batch in epoch
            for ids, values in zip(batch["item_ids"], batch[name], strict=True)
        }

    assert users(first) != users(second)
    assert len(set(users(first)) & set(users(second))) <= 1  # of seven
    for name in ("negative_ids", "view_item_ids"):
        one, two = drawn(first, name), drawn(second, name)
        assert one.keys() == two.keys()
        assert sum(one[key] != two[key] for key in one) > 0.7 * len(one)


@pytest.mark.parametrize(("epochs_done", "pad_to_max_length"), [(1, False), (3, False), (1, True)])
def test_first_epoch_continues_an_interrupted_training(log, epochs_done, pad_to_max_length):
    settings = {
        "batch_size": 16,
        "negatives": True,
        "views": ViewRatios(),
        "pad_to_max_length": pad_to_max_length,
    }
    whole = training_batches(leave_one_out(log), **settings)
    for _ in range(epochs_done):
        batches_of(whole)
    rest = training_batches(leave_one_out(log), first_epoch=epochs_done, **settings)
    for _ in range(2):
        assert_same_epoch(batches_of(rest), batches_of(whole))


def test_two_views_of_a_sequence_are_drawn_apart(log):
    dataset = training_batches(leave_one_out(log), batch_size=16, views=ViewRatios())
    pairs = [pair for batch in batches_of(dataset) for pair in batch["view_item_ids"]]
    assert np.mean([(first != second).any() for first, second in pairs]) > 0.7


def test_views_hold_the_items_of_their_own_sequence(log):
    for batch in batches_of(
        training_batches(leave_one_out(log), batch_size=16, views=ViewRatios())
    ):
        for ids, views in zip(batch["item_ids"], batch["view_item_ids"], strict=True):
            for view in views:
                assert set(without_padding(view)) - {2} <= set(ids[ids > 0])


def test_batches_are_padded_to_their_longest_row(log):
    for batch in batches_of(training_batches(leave_one_out(log), batch_size=16)):
        assert (batch["item_ids"] > 0).any(axis=0).all()


def test_padding_to_the_maximum_gives_one_width(log):
    dataset = training_batches(
        leave_one_out(log), batch_size=16, max_length=30, pad_to_max_length=True
    )
    assert {batch["item_ids"].shape[1] for batch in batches_of(dataset)} == {30}


def test_beauty_is_hardly_padded(shared):
    split = leave_one_out(load_interactions(shared / "data" / "sequences" / "Beauty.txt"))
    cells, entries = {}, {}
    for pad in (False, True):
        ids = [b["item_ids"] for b in batches_of(training_batches(split, pad_to_max_length=pad))]
        cells[pad] = sum(array.size for array in ids)
        entries[pad] = sum(np.count_nonzero(array) for array in ids)
    assert entries[False] == entries[True]
    assert cells[True] == 22363 * 50
    assert entries[False] > 0.88 * cells[False]


@pytest.mark.parametrize("pad_to_max_length", [False, True])
@pytest.mark.parametrize("max_length", [4, 50])
def test_training_inputs_stand_beside_their_providers(provider_log, max_length, pad_to_max_length):
    pairs = zip(sequences_of(provider_log), sequences_of(provider_log, "provider_ids"), strict=True)
    expected = [
        (items[:-3][-max_length:], providers[:-3][-max_length:])
        for items, providers in pairs
        if len(items) > 3
    ]
    dataset = training_batches(
        leave_one_out(provider_log),
        batch_size=16,
        max_length=max_length,
        pad_to_max_length=pad_to_max_length,
    )
    assert sorted(rows_of(dataset, "item_ids", "provider_ids")) == sorted(expected)


def test_each_item_of_a_view_keeps_its_own_provider(provider_log):
    masked = 0
    for batch in batches_of(
        training_batches(leave_one_out(provider_log), batch_size=16, views=ViewRatios())
    ):
        for row in zip(*(batch[name] for name in VIEWED), strict=True):
            items, providers, view_items, view_providers = row
            own = dict(zip(items.tolist(), providers.tolist(), strict=True)) | {0: 0, 2: 2}
            expected = [[own[item] for item in view] for view in view_items.tolist()]
            assert view_providers.tolist() == expected
        masked += np.count_nonzero(batch["view_provider_ids"] == 2)
    assert masked > 50


def test_batches_have_providers_only_where_the_log_has_them(log, provider_log):
    def names(log):
        split = leave_one_out(log)
        (training,) = training_batches(split, batch_size=100, views=ViewRatios())
        (evaluation,) = evaluation_batches(split, "test", 100)
        (sequences,) = sequence_batches(split, 100)
        return [set(training), set(evaluation), set(sequences)]

    provider_names = [{"provider_ids", "view_provider_ids"}, {"provider_ids"}, {"provider_ids"}]
    for without, with_providers, added in zip(
        names(log), names(provider_log), provider_names, strict=True
    ):
        assert with_providers - without == added
        assert without <= with_providers


def test_providers_change_nothing_else(provider_log):
    settings = {"batch_size": 16, "negatives": True, "views": ViewRatios()}
    plain = dataclasses.replace(provider_log, providers=None, own_provider_ids=None)
    batches = batches_of(training_batches(leave_one_out(provider_log), **settings))
    assert {batch.pop("provider_ids").dtype for batch in batches} == {np.dtype("int32")}
    assert {batch.pop("view_provider_ids").dtype for batch in batches} == {np.dtype("int32")}
    assert_same_epoch(batches, batches_of(training_batches(leave_one_out(plain), **settings)))


def test_batches_of_a_log_in_its_file_are_those_of_one_in_memory(provider_log, tmp_path):
    write_prepared(provider_log, tmp_path)
    loaded = read_prepared(tmp_path)
    for make in (
        lambda log: training_batches(leave_one_out(log), 16, negatives=True, views=ViewRatios()),
        lambda log: evaluation_batches(leave_one_out(log), "valid", 16),
        lambda log: sequence_batches(leave_one_out(log), 16),
    ):
        for ours, theirs in zip(make(provider_log), make(loaded), strict=True):
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("max_length", [3, 50])
def test_all_positions_of_an_epoch_weigh_the_same(log, max_length):
    split = leave_one_out(log)
    batches = batches_of(training_batches(split, batch_size=10, max_length=max_length))
    weights = np.concatenate([batch["target_weights"].ravel() for batch in batches])
    targets = np.concatenate([batch["target_ids"].ravel() for batch in batches])
    assert set(weights[targets == 0].tolist()) <= {0.0}
    assert len(set(weights[targets != 0].tolist())) == 1
    # One per batch on average, of the items that are read.
    assert weights.sum() == pytest.approx(len(batches), rel=1e-5)


def test_users_of_whom_nothing_was_trained_on_are_unknown():
    """Their vectors are as they were drawn."""
    log = Interactions.from_sequences({f"u{user}": "abcde" for user in range(8)})
    split = train_on_share(leave_one_out(log), 0.25)
    trained = np.flatnonzero(split.train.lengths)
    assert len(trained) == 2
    for part in ("valid", "test"):
        (batch,) = batches_of(evaluation_batches(split, part))
        assert sorted(batch["users"].tolist()) == [-1] * 6 + trained.tolist()


def test_batches_come_in_no_order_of_length(log):
    """Or an epoch ends with the longest histories, each time."""
    batches = training_batches(leave_one_out(log), batch_size=5)
    widths = [[batch["item_ids"].shape[1] for batch in batches_of(batches)] for _ in range(3)]
    assert all(one != sorted(one) for one in widths)


def test_users_of_all_lengths_are_mixed_where_all_are_padded_alike():
    sequences = {f"u{n}": [f"first of {n}", *["x"] * n] for n in range(3, 43)}
    split = leave_one_out(Interactions.from_sequences(sequences))
    for pad in (False, True):
        batches = batches_of(training_batches(split, 10, 50, pad_to_max_length=pad))
        lengths = [np.count_nonzero(batch["item_ids"], axis=1) for batch in batches]
        spread = np.mean([np.ptp(one) for one in lengths])
        assert spread > 25 if pad else spread < 20
