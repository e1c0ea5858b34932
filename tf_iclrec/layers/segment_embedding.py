"""A vector per stream, so that a Transformer can tell the streams apart."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("tf_iclrec")
class SegmentEmbedding(keras.layers.Layer):
    """Add to every position the learned vector of its stream (IPSRec Sec. 2.1).

    Args:
        num_segments: Number of streams.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.

    Call arguments:
        streams: List of ``num_segments`` tensors ``(batch, time, dim)``.

    Returns:
        List of as many tensors of the same shape.

    Example:
    >>> layer = SegmentEmbedding(num_segments=2, dim=8)
    >>> [stream.shape for stream in layer([ops.ones((4, 3, 8)), ops.ones((4, 3, 8))])]
    [TensorShape([4, 3, 8]), TensorShape([4, 3, 8])]
    """

    def __init__(self, num_segments: int, dim: int, initializer_stddev: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.num_segments = num_segments
        self.dim = dim
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape=None):
        self.table = self.add_weight(
            name="table",
            shape=(self.num_segments, self.dim),
            initializer=keras.initializers.RandomNormal(stddev=self.initializer_stddev),
        )

    def call(self, streams: list[KerasTensor]) -> list[KerasTensor]:
        table = ops.convert_to_tensor(self.table, self.compute_dtype)
        return [
            stream + vector
            for stream, vector in zip(
                streams, ops.unstack(table, self.num_segments, axis=0), strict=True
            )
        ]

    def get_config(self):
        return super().get_config() | {
            "num_segments": self.num_segments,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
        }
