"""How far from the query a key lies, as a learned bias on attention."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("tf_iclrec")
class RelativePositionBias(keras.layers.Layer):
    """A learned bias per head and distance between query and key.

    With ``q`` the query's and ``k`` the key's position the bias is ``table[head, q - k]``
    (after Shaw et al. 2018 and the T5 bias, without its buckets). A position is then encoded
    the same way wherever it stands in a sequence, so what all positions learn in training
    holds for the last one, which predicts.

    Args:
        num_heads: Attention heads.
        max_length: Distances from 0 to ``max_length - 1`` have their own value; longer ones
            share the last.
        two_sided: Whether later keys have values of their own, for attention to both sides:
            the bias is then ``table[head, max_length - 1 + q - k]``. Defaults to False.

    Call arguments:
        inputs: ``(batch, time, ...)``, of which only the length counts.

    Returns:
        ``(num_heads, time, time)``, [head, query, key]; 0 where the key is later, unless
        two-sided.

    Example:
    >>> RelativePositionBias(num_heads=2, max_length=50)(ops.ones((4, 3))).shape
    TensorShape([2, 3, 3])
    """

    def __init__(self, num_heads: int, max_length: int, two_sided: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.max_length = max_length
        self.two_sided = two_sided

    def build(self, input_shape=None):
        columns = 2 * self.max_length - 1 if self.two_sided else self.max_length
        self.table = self.add_weight(
            name="table", shape=(self.num_heads, columns), initializer="zeros"
        )

    def call(self, inputs: KerasTensor) -> KerasTensor:
        steps = ops.arange(ops.shape(inputs)[1])
        distance = steps[:, None] - steps[None, :]
        table = ops.convert_to_tensor(self.table, self.compute_dtype)
        longest = self.max_length - 1
        if self.two_sided:
            return ops.take(table, longest + ops.clip(distance, -longest, longest), axis=1)
        bias = ops.take(table, ops.clip(distance, 0, longest), axis=1)
        return ops.where(distance < 0, ops.zeros_like(bias), bias)

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "max_length": self.max_length,
            "two_sided": self.two_sided,
        }
