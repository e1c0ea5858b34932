"""A vector per distance from the end of the sequence."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("tf_iclrec")
class PositionEmbedding(keras.layers.Layer):
    """Learned absolute positions, counted from the last item.

    The last real item of a sequence has the last row of the table, the one before it the row
    before, and so on, wherever the padding is; a gap between real items counts. That is the
    numbering of programs that pad to a fixed length on the left (SASRec, ICLRec Sec. 3.1), without
    the padding.

    Args:
        max_length: Number of positions, ``T``.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.

    Call arguments:
        valid: ``(batch, time)`` bool, true at real positions; ``time <= max_length``.

    Returns:
        ``(batch, time, dim)``. Values at padded positions have no meaning.

    Example:
    >>> layer = PositionEmbedding(max_length=50, dim=8)
    >>> layer(ops.array([[False, True, True]])).shape
    TensorShape([1, 3, 8])
    """

    def __init__(self, max_length: int, dim: int, initializer_stddev: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length
        self.dim = dim
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(self.max_length, self.dim),
            initializer=keras.initializers.RandomNormal(stddev=self.initializer_stddev),
        )

    def at(self, places: KerasTensor) -> KerasTensor:
        """The vectors of given rows of the table, ``(...,)`` int32 to ``(..., dim)``."""
        return ops.take(ops.convert_to_tensor(self.table, self.compute_dtype), places, axis=0)

    def call(self, valid: KerasTensor) -> KerasTensor:
        column = ops.arange(ops.shape(valid)[1], dtype="int32")
        last = ops.max(ops.where(valid, column, 0), axis=1, keepdims=True)
        row = ops.clip(self.max_length - 1 - (last - column), 0, self.max_length - 1)
        return self.at(row)

    def get_config(self):
        return super().get_config() | {
            "max_length": self.max_length,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
        }
