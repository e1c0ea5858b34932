import math

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec.objectives.in_batch_info_nce import in_batch_info_nce


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("group_ids", [None, [0, 1, 0, 2, 1, 0]])
def test_matches_slow_transcription(rng, slow_in_batch_info_nce, temperature, group_ids):
    anchors, positives = rng.normal(size=(2, 6, 4)).astype("float32")
    ids = None if group_ids is None else np.array(group_ids)
    loss = float(in_batch_info_nce(anchors, positives, temperature, ids))
    expected = slow_in_batch_info_nce(anchors, positives, temperature, group_ids)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_by_hand():
    # Each row scores 1 with its own positive and 0 with the other one's.
    loss = float(in_batch_info_nce(np.eye(2), np.eye(2)))
    assert loss == pytest.approx(math.log(math.e + 1) - 1)


def test_groups_by_hand():
    # The first two rows share a group and are left with the third as negative; the third has
    # both of them.
    one, two = [1.0, 0.0], [0.0, 1.0]
    rows = np.array([one, one, two])
    loss = float(in_batch_info_nce(rows, rows, group_ids=np.array([7, 7, 2])))
    expected = (2 * (math.log(math.e + 1) - 1) + math.log(math.e + 2) - 1) / 3
    assert loss == pytest.approx(expected)


def test_anchors_are_no_negatives():
    # Anchors may lie as near to each other as they like: the positives decide.
    anchors, positives = np.ones((2, 1)), np.array([[3.0], [0.0]])
    expected = (math.log(1 + math.exp(-3)) + math.log(1 + math.exp(3))) / 2
    assert float(in_batch_info_nce(anchors, positives)) == pytest.approx(expected)


@pytest.mark.parametrize("grouped", [True, False])
def test_a_row_of_the_same_group_is_a_negative_only_without_groups(rng, grouped):
    anchors, positives = rng.normal(size=(2, 3, 4)).astype("float32")
    moved = positives + np.array([[0.0], [1.0], [0.0]], dtype="float32")

    def gradient_of_row_0(positives):
        # An anchor is only in its own loss.
        variable = tf.Variable(anchors)
        ids = np.array([7, 7, 2]) if grouped else None
        with tf.GradientTape() as tape:
            loss = in_batch_info_nce(variable, positives, group_ids=ids)
        return tape.gradient(loss, variable).numpy()[0]

    change = np.abs(gradient_of_row_0(moved) - gradient_of_row_0(positives)).max()
    assert change == 0.0 if grouped else change > 1e-2


def test_is_finite_for_large_similarities():
    rows = np.array([[100.0], [-100.0]], dtype="float32")
    assert float(in_batch_info_nce(rows, rows)) == 0.0
    assert float(in_batch_info_nce(rows, -rows)) == 20000.0
