"""Multi-head self-attention with a mask and an optional bias."""

import math

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from tf_iclrec.layers.masks import additive_mask


@keras.saving.register_keras_serializable("tf_iclrec")
class SelfAttention(keras.layers.Layer):
    """Scaled dot-product attention of a sequence to itself.

    ``softmax(Q Kᵀ / sqrt(dim / heads) + bias + mask) V`` per head, then a linear output layer.
    Queries, keys and values come from one matrix product.

    Args:
        num_heads: Attention heads; must divide the width of the input.
        dropout: Share of attention weights dropped in training. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        inputs: ``(batch, time, dim)``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key], true where seen.
        bias: Optional ``(num_heads, time, time)`` added to the scores of all rows.

    Returns:
        ``(batch, time, dim)``.

    Example:
    >>> layer = SelfAttention(num_heads=2)
    >>> layer(ops.ones((4, 3, 8)), allowed=ops.ones((4, 3, 3), dtype="bool")).shape
    TensorShape([4, 3, 8])
    """

    def __init__(
        self, num_heads: int, dropout: float = 0.0, initializer_stddev: float = 0.02, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape):
        dim = input_shape[-1]
        if dim % self.num_heads:
            raise ValueError(
                f"The width {dim} can't be divided into {self.num_heads} attention heads."
            )

        def dense(units, name):
            initializer = keras.initializers.RandomNormal(stddev=self.initializer_stddev)
            return keras.layers.Dense(
                units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
            )

        self.query_key_value = dense(3 * dim, "query_key_value")
        self.query_key_value.build(input_shape)
        self.output_dense = dense(dim, "output")
        self.output_dense.build(input_shape)
        self.attention_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(
        self,
        inputs: KerasTensor,
        allowed: KerasTensor,
        bias: KerasTensor | None = None,
        training: bool = False,
    ) -> KerasTensor:
        time, dim = ops.shape(inputs)[1], inputs.shape[-1]
        head_dim = dim // self.num_heads
        # One matrix (batch, time, 3 x heads x head_dim), then heads to the front.
        mixed = self.query_key_value(inputs)
        mixed = ops.reshape(mixed, (-1, time, 3 * self.num_heads, head_dim))
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        query, key, value = ops.split(mixed, 3, axis=1)
        query = query * (1.0 / math.sqrt(head_dim))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        if bias is not None:
            scores = scores + bias
        # TensorFlow's own: Keras' warns of a sequence of one item.
        weights = tf.nn.softmax(scores + additive_mask(allowed, scores.dtype)[:, None])
        weights = self.attention_dropout(weights, training=training)
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return self.output_dense(ops.reshape(attended, (-1, time, dim)))

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
