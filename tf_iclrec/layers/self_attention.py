"""Multi-head self-attention with a mask and an optional bias."""

import functools

import keras
from keras import KerasTensor

from tf_iclrec.layers.attention import attend, check_heads, split_heads
from tf_iclrec.layers.dense import built_dense


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
    >>> from keras import ops
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
        dim, policy = input_shape[-1], self.dtype_policy
        check_heads(dim, self.num_heads)
        stddev = self.initializer_stddev
        self.query_key_value = built_dense(dim, 3 * dim, "query_key_value", stddev, policy)
        self.output_dense = built_dense(dim, dim, "output", stddev, policy)
        self.attention_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(
        self,
        inputs: KerasTensor,
        allowed: KerasTensor,
        bias: KerasTensor | None = None,
        training: bool = False,
    ) -> KerasTensor:
        query, key, value = split_heads(self.query_key_value(inputs), self.num_heads)
        dropout = functools.partial(self.attention_dropout, training=training)
        return self.output_dense(attend(query, key, value, allowed, bias, dropout))

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
