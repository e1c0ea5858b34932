"""Vectors of the users that a model was trained on."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.layers.id_embedding import IdEmbedding


@keras.saving.register_keras_serializable("tf_iclrec")
class UserEmbedding(IdEmbedding):
    """A table with a vector per user, and zero for users who are not in it.

    Args:
        size: Number of users.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.

    Call arguments:
        users: ``(batch,)`` int32 rows of the log; what is no row, such as -1, is an unknown user.

    Returns:
        ``(batch, dim)`` in the compute dtype. Its gradient is sparse.

    Example:
    >>> layer = UserEmbedding(size=3, dim=4)
    >>> vectors = layer(ops.array([2, -1]))
    >>> vectors.shape, float(ops.max(ops.abs(vectors[1])))
    (TensorShape([2, 4]), 0.0)
    """

    def __init__(self, *args, rows_of: str = "users", **kwargs):
        super().__init__(*args, rows_of=rows_of, **kwargs)

    def call(self, users: KerasTensor) -> KerasTensor:
        known = self.known(users)
        vectors = super().call(ops.where(known, users, 0))
        return vectors * ops.cast(known, vectors.dtype)[:, None]

    def known(self, users: KerasTensor) -> KerasTensor:
        """``(batch,)`` bool, true where the table has a row of the user."""
        return ops.logical_and(users >= 0, users < self.size)
