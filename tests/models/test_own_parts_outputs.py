"""Encoders and losses of one's own that give something else than a training step can use."""

import numpy as np
import pytest
from keras import ops

from tf_iclrec import Encoder, Objective, SequentialRecommender, SoftmaxCrossEntropy

BATCH = {
    "item_ids": np.array([[0, 3, 4], [5, 6, 7]], dtype="int32"),
    "target_ids": np.array([[0, 4, 5], [6, 7, 8]], dtype="int32"),
}


class Narrow(Encoder):
    def encode(self, items, valid, training):
        return items[..., :4]


class OneVector(Encoder):
    def encode(self, items, valid, training):
        return ops.mean(items, axis=1)


class PerPosition(Objective):
    name = "next_item"

    def __call__(self, encoded):
        return ops.mean(encoded.hidden, axis=-1)


class Half(Objective):
    name = "next_item"

    def __call__(self, encoded):
        return ops.cast(ops.mean(encoded.hidden), "float16")


def step(encoder=Encoder, objective=SoftmaxCrossEntropy):
    model = SequentialRecommender(encoder(20, hidden_dim=8), [objective()])
    model.compile("adam", run_eagerly=True)
    model.train_on_batch(BATCH)


@pytest.mark.parametrize(("encoder", "shape"), [(Narrow, r"\(2, 3, 4\)"), (OneVector, r"\(2, 8\)")])
def test_states_of_another_shape_are_told(encoder, shape):
    expected = rf"^{encoder.__name__} gives states of the shape {shape}, and \(batch, time, 8\) is"
    with pytest.raises(ValueError, match=expected):
        step(encoder)


@pytest.mark.parametrize(
    ("objective", "what"),
    [(PerPosition, r"float32 loss of the shape \(2, 3\)"), (Half, r"float16 loss of the shape \(")],
)
def test_a_loss_that_is_no_float32_number_is_told(objective, what):
    class Kept(Encoder):
        def encode(self, items, valid, training):
            return items

    with pytest.raises(ValueError, match=f"^{objective.__name__} gives a {what}.*one float32"):
        step(Kept, objective)
