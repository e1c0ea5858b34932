import numpy as np
import pytest
from keras import ops

from tf_iclrec.layers.masks import (
    additive_mask,
    at_right_end,
    causal_mask,
    last_valid,
    masked_mean,
    or_else_all,
    two_sided_mask,
    valid_mask,
    weighted_mean,
)

# Three steps of width 2; the rows are left-padded, right-padded, unpadded and empty.
VALUES = np.array([[[1, 2], [3, 4], [5, 6]]] * 4, dtype="float32")
VALID = np.array([[0, 1, 1], [1, 1, 0], [1, 1, 1], [0, 0, 0]], dtype=bool)


def test_only_the_padding_id_is_invalid():
    ids = ops.array([[0, 1, 2, 3, 0]])
    assert ops.convert_to_numpy(valid_mask(ids)).tolist() == [[False, True, True, True, False]]


def test_causal_mask_lets_a_query_see_real_keys_up_to_itself():
    mask = ops.convert_to_numpy(causal_mask(ops.array(VALID)))
    for row, query, key in np.ndindex(mask.shape):
        assert mask[row, query, key] == (key <= query and VALID[row, key])


def test_two_sided_mask_lets_every_query_see_all_real_keys():
    mask = ops.convert_to_numpy(two_sided_mask(ops.array(VALID)))
    assert mask.shape == (4, 3, 3)
    for row, query, key in np.ndindex(mask.shape):
        assert mask[row, query, key] == VALID[row, key]


def test_a_query_that_may_see_nothing_sees_all_that_is_shown_and_the_others_what_they_may():
    allowed = np.asarray(causal_mask(ops.array(VALID)))
    shown = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 1], [1, 0, 1]], dtype=bool)
    mask = np.asarray(or_else_all(ops.array(allowed), ops.array(shown)))
    for row, query in np.ndindex(4, 3):
        expected = allowed[row, query] if allowed[row, query].any() else shown[row]
        assert mask[row, query].tolist() == list(expected)
    # The padding on the left, and all of an empty row.
    changed = np.argwhere((mask != allowed).any(axis=-1)).tolist()
    assert changed == [[0, 0], [3, 0], [3, 1], [3, 2]]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (3, [[0, 7, 8], [0, 5, 6], [3, 0, 4], [0, 0, 0]]),
        (5, [[0, 0, 0, 7, 8], [0, 0, 0, 5, 6], [0, 0, 3, 0, 4], [0] * 5]),
        (2, [[7, 8], [5, 6], [0, 4], [0, 0]]),
    ],
)
def test_rows_are_moved_so_that_the_last_real_position_is_the_last(width, expected):
    ids = np.array([[0, 7, 8], [5, 6, 0], [3, 0, 4], [0, 0, 0]], dtype="int32")
    assert at_right_end(ids, ids != 0, width).numpy().tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_additive_mask_is_finite_and_removes_a_key_from_the_softmax(dtype):
    mask = additive_mask(ops.array([True, False, True]), dtype)
    assert mask.dtype == dtype
    assert np.isfinite(np.asarray(mask).astype("float32")).all()
    scores = ops.cast(ops.array([1.0, 100.0, 1.0]), dtype)
    weights = ops.convert_to_numpy(ops.cast(ops.softmax(scores + mask), "float32"))
    assert weights.tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_softmax_of_a_fully_masked_row_is_finite(dtype):
    mask = additive_mask(ops.array([False, False]), dtype)
    weights = ops.softmax(ops.cast(ops.array([1.0, 2.0]), dtype) + mask)
    assert np.isfinite(np.asarray(weights).astype("float32")).all()


def test_masked_mean_leaves_out_padding_and_is_zero_without_real_positions():
    means = ops.convert_to_numpy(masked_mean(ops.array(VALUES), ops.array(VALID)))
    assert means.tolist() == [[4, 5], [2, 3], [3, 4], [0, 0]]


def test_weighted_mean_by_hand():
    means = weighted_mean(ops.array(VALUES[:2]), ops.array([[0.0, 1.0, 3.0], [2.0, 1.0, 1.0]]))
    np.testing.assert_allclose(means, [[4.5, 5.5], [2.5, 3.5]], rtol=1e-6)


def test_last_valid_finds_the_end_wherever_the_padding_is():
    last = ops.convert_to_numpy(last_valid(ops.array(VALUES), ops.array(VALID)))
    assert last.tolist() == [[5, 6], [3, 4], [5, 6], [0, 0]]
