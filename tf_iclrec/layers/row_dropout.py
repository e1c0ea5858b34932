"""Dropout that leaves something of every row."""

import keras
from keras import KerasTensor, ops

# Rows of which all is dropped are left out of account below this probability.
_NEVER = 1e-12


@keras.saving.register_keras_serializable("tf_iclrec")
class RowDropout(keras.layers.Dropout):
    """Dropout in which a row that would be zero as a whole stays as it is.

    Of a narrow vector all may be dropped, of 8 numbers at a rate of 0.5 once in 256 rows. The first
    position of a history attends to nothing else, so that while the biases are zero its state
    remains zero, and one LayerNorm after the other multiplies its gradient by a million, until it
    overflows. Where all of a row is as good as never dropped, this is plain dropout.

    Args:
        rate: Share of the values that are dropped.

    Call arguments:
        inputs: ``(..., dim)``.
        training: Whether to drop anything.

    Returns:
        The same shape.

    Example:
    >>> dropped = RowDropout(0.9)(ops.ones((1000, 2)), training=True)
    >>> bool(ops.all(ops.any(dropped != 0, axis=-1)))
    True
    """

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        dropped = super().call(inputs, training=training)
        if not training or self.rate ** inputs.shape[-1] < _NEVER:
            return dropped
        left = ops.any(dropped != 0, axis=-1, keepdims=True)
        return ops.where(left, dropped, inputs)
