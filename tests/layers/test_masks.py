import numpy as np
import pytest
from keras import ops

from tf_iclrec.layers.masks import (
    additive_mask,
    causal_mask,
    last_valid,
    masked_mean,
    two_sided_mask,
    valid_mask,
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


def test_last_valid_finds_the_end_wherever_the_padding_is():
    last = ops.convert_to_numpy(last_valid(ops.array(VALUES), ops.array(VALID)))
    assert last.tolist() == [[5, 6], [3, 4], [5, 6], [0, 0]]
