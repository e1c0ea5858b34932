"""What holds for the states of every encoder."""

import keras
import numpy as np
import pytest

from tf_iclrec.data.tasks import Cloze, OwnItems

from .every_encoder import (
    BATCH,
    HALF_ROUNDING,
    ITEMS,
    REAL,
    USERS,
    Case,
    encoder_of,
    in_each_case,
    of_each_name,
)


def skip_if_it_looks_ahead(case):
    if isinstance(case.encoder.task, Cloze):
        pytest.skip("masked items are asked for from both sides, so all positions see all others")


@in_each_case
def test_gives_states_that_are_zero_at_padding(case):
    encoder, states = case.encoder, case.encoded_batch()
    assert len(states) == encoder.num_streams
    assert encoder.state_dim == encoder.num_queries * encoder.output_dim
    assert states.shape[1:] == (*BATCH.shape, encoder.state_dim // encoder.num_streams)
    assert not states[:, ~REAL].any()
    assert (np.abs(states[:, REAL]).max(axis=-1) > 0.1).all()


@in_each_case
def test_padding_never_changes_a_real_position(case):
    for sides in ([(4, 0), (0, 4), (1, 3), (2, 2)], [(1, 0), (0, 1)]):
        ids = [[0] * left + ITEMS + [0] * right for left, right in sides for _ in USERS]
        states = case.encode(ids)
        assert not states[:, np.array(ids) == 0].any()
        for row in range(len(ids)):
            real = states[:, row, np.array(ids[row]) != 0]
            expected = case.encoded_items()[:, row % len(USERS)]
            np.testing.assert_allclose(real, expected, rtol=0, atol=case.atol)


@in_each_case
def test_other_rows_of_the_batch_change_nothing(case):
    for row, ids in enumerate(BATCH):
        alone = case.encode(ids, first_user=row)[:, 0]
        np.testing.assert_allclose(case.encoded_batch()[:, row], alone, rtol=0, atol=case.atol)


@in_each_case
def test_a_later_item_never_changes_an_earlier_state(case):
    """But each state from there on, as far as a window reaches that ends there."""
    skip_if_it_looks_ahead(case)
    place = np.repeat(np.arange(4), len(USERS))[:, np.newaxis]
    changed = case.encode(np.where(np.arange(4) == place, 20, ITEMS))
    difference = np.abs(changed - np.tile(case.encoded_items(), (1, 4, 1, 1))).max(axis=-1)
    steps = np.arange(4) - place
    assert (difference[:, steps < 0] <= 1e-6).all()
    seen = (steps >= 0) & (steps < getattr(case.encoder, "window", 4))
    seen &= case.follows(len(place))[:, np.newaxis]
    assert ((difference > 1e-2) == seen).all()


@in_each_case
def test_a_place_is_encoded_as_the_prefix_that_ends_there(case):
    """So training at all places is training on all prefixes. Positions counted from the end of
    the sequence differ between the two."""
    skip_if_it_looks_ahead(case)
    for length in range(1, 4):
        place = case.encoded_items()[:, :, length - 1]
        prefix = case.encode([ITEMS[:length]] * len(USERS))[:, :, -1]
        if getattr(case.encoder, "relative_positions", True):
            np.testing.assert_allclose(place, prefix, rtol=0, atol=case.atol)
        else:
            assert (np.abs(place - prefix).max(axis=-1) > 1e-2).all()


@in_each_case
def test_the_order_of_earlier_items_matters(case):
    """Unless the task is to tell a user's items, whatever their order."""
    states = case.encode([[5, 9, 4]] * 4 + [[9, 5, 4]] * 4)[:, :, -1]
    difference = np.abs(states[:, :4] - states[:, 4:]).max(axis=-1)
    if isinstance(case.encoder.task, OwnItems):
        assert (difference <= case.atol).all()
    else:
        assert (difference > 1e-2).all()


@in_each_case
def test_accepts_one_item_and_sequences_of_the_full_length(case):
    assert case.encoder.max_length == 8
    for items in ([3], range(3, 11)):
        states = case.encode([[*items]] * 4)
        assert np.isfinite(states).all()
        assert (np.abs(states).max(axis=-1) > 1e-2).all()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@in_each_case
def test_mixed_precision_is_near_float32(case, dtype):
    half = encoder_of(case.name, case.settings, dtype)
    streams = keras.tree.flatten(half(case.inputs(BATCH)))
    assert {stream.dtype.name for stream in streams} == {dtype.removeprefix("mixed_")}
    atol = HALF_ROUNDING.get(case.name, 0.05)
    if dtype == "mixed_float16":
        atol /= 4  # It has three bits more.
    for stream, expected in zip(streams, case.encoded_batch(), strict=True):
        stream = np.asarray(stream).astype("float32")
        np.testing.assert_allclose(stream, expected, rtol=0, atol=atol)
    assert half.item_vectors().dtype == "float32"
    assert half.item_vectors(np.array([5])).dtype == streams[0].dtype


@of_each_name
def test_item_vectors_are_those_of_the_catalogue(name):
    encoder = Case(name).encoder
    vectors = np.asarray(encoder.item_vectors())
    assert vectors.shape == (27, encoder.output_dim)
    assert vectors.dtype == "float32"
    np.testing.assert_array_equal(encoder.item_vectors(np.array([[3, 29]])), vectors[[[0, 26]]])
