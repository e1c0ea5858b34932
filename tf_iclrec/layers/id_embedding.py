"""Embeddings of ids, looked up row by row."""

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS


@keras.saving.register_keras_serializable("tf_iclrec")
class IdEmbedding(keras.layers.Layer):
    """A table with a vector per id.

    Unlike `keras.layers.Embedding` it never reads the whole table for a look-up: TensorFlow
    copies a variable at each read once parts of it have been updated in place.

    Args:
        size: Number of ids.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.

    Call arguments:
        ids: ``(...,)`` int32.

    Returns:
        ``(..., dim)`` in the compute dtype. Its gradient is sparse.

    Example:
    >>> IdEmbedding(10, 4)(ops.array([[1, 2, 1]])).shape
    TensorShape([1, 3, 4])
    """

    def __init__(self, size: int, dim: int, initializer_stddev: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.dim = dim
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.size, self.dim),
            initializer=keras.initializers.RandomNormal(stddev=self.initializer_stddev),
            # In mixed precision the rows are cast, not the table.
            autocast=False,
        )

    def call(self, ids: KerasTensor) -> KerasTensor:
        return ops.cast(tf.gather(self.embeddings.value, ids), self.compute_dtype)

    def get_config(self):
        return super().get_config() | {
            "size": self.size,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
        }


def without_special_ids(table: keras.Variable) -> KerasTensor:
    """The rows of a table ``(ids, dim)`` that belong to raw ids, ``(ids - 3, dim)``.

    Example:
    >>> without_special_ids(keras.Variable([[0.0], [0.0], [0.0], [1.0]])).numpy().tolist()
    [[1.0]]
    """
    # The gradient of a slice costs several times that of a split.
    return tf.split(ops.convert_to_tensor(table), [NUM_SPECIAL_IDS, -1])[1]
