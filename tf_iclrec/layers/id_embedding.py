"""Embeddings of ids, looked up row by row."""

import keras
import numpy as np
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
        initializer_stddev: Standard deviation of the initial vectors. Defaults to 0.02.
        scale: A vector is a row of the table times this. Optimizers such as Adam move each row by
            about the learning rate, whatever its gradient, so that vectors learn so many times as
            fast. Defaults to 1.
        rows_of: What the ids are of: ``"items"``, ``"users"``, ``"providers"``, the number of an
            attribute of the items, or all ``"attributes"`` in one table. Defaults to items.

    Call arguments:
        ids: ``(...,)`` int32.

    Returns:
        ``(..., dim)`` in the compute dtype. Its gradient is sparse.

    Example:
    >>> IdEmbedding(10, 4)(ops.array([[1, 2, 1]])).shape
    TensorShape([1, 3, 4])
    """

    def __init__(
        self,
        size: int,
        dim: int,
        initializer_stddev: float = 0.02,
        scale: float = 1.0,
        rows_of: str | int = "items",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rows_of = rows_of
        self.size = size
        self.dim = dim
        self.initializer_stddev = initializer_stddev
        self.scale = scale

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.size, self.dim),
            initializer=keras.initializers.RandomNormal(
                stddev=self.initializer_stddev / self.scale
            ),
            # In mixed precision the rows are cast, not the table.
            autocast=False,
        )

    def call(self, ids: KerasTensor) -> KerasTensor:
        return ops.cast(self.vectors(ids), self.compute_dtype)

    def vectors(self, ids: KerasTensor) -> KerasTensor:
        """Vectors of ids ``(...,)`` in the table's own precision, ``(..., dim)`` float32."""
        rows = tf.gather(self.embeddings.value, ids)
        return rows if self.scale == 1.0 else rows * self.scale

    def add_to_vectors(self, vectors: np.ndarray) -> None:
        """Change the vectors by ``(size, dim)``."""
        self.embeddings.assign_add((vectors / self.scale).astype(np.float32))

    def get_config(self):
        return super().get_config() | {
            "size": self.size,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
            "scale": self.scale,
            "rows_of": self.rows_of,
        }


def without_special_ids(table: keras.Variable) -> KerasTensor:
    """The rows of a table ``(ids, dim)`` that belong to raw ids, ``(ids - 3, dim)``.

    Example:
    >>> without_special_ids(keras.Variable([[0.0], [0.0], [0.0], [1.0]])).numpy().tolist()
    [[1.0]]
    """
    # The gradient of a slice costs several times that of a split.
    return tf.split(ops.convert_to_tensor(table), [NUM_SPECIAL_IDS, -1])[1]
