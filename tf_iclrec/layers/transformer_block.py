"""One Transformer block with the normalisation after each half."""

import keras
from keras import KerasTensor

from tf_iclrec.layers.feed_forward import FeedForward
from tf_iclrec.layers.norm import built_norm
from tf_iclrec.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable("tf_iclrec")
class TransformerBlock(keras.layers.Layer):
    """Self-attention and a feed-forward network, each with dropout, residual and LayerNorm.

    ``x = LayerNorm(x + Dropout(Attention(x)))``, then
    ``x = LayerNorm(x + Dropout(W2 gelu(W1 x)))`` (SASRec as in the ICLRec program: post-norm,
    exact GELU).

    Args:
        num_heads: Attention heads.
        feedforward_dim: Width of the hidden layer of the feed-forward network.
        dropout: Share of hidden values dropped. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        inputs: ``(batch, time, dim)``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key].
        bias: Optional ``(num_heads, time, time)`` added to the attention scores.

    Returns:
        ``(batch, time, dim)``.

    Example:
    >>> from keras import ops
    >>> block = TransformerBlock(num_heads=2, feedforward_dim=32)
    >>> block(ops.ones((4, 3, 8)), allowed=ops.ones((4, 3, 3), dtype="bool")).shape
    TensorShape([4, 3, 8])
    """

    def __init__(
        self,
        num_heads: int,
        feedforward_dim: int,
        dropout: float = 0.0,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.feedforward_dim = feedforward_dim
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape):
        policy, stddev = self.dtype_policy, self.initializer_stddev
        self.attention = SelfAttention(self.num_heads, self.dropout, stddev, dtype=policy)
        self.attention.build(input_shape)
        self.attention_norm = built_norm(input_shape[-1], policy)
        self.output_dropout = keras.layers.Dropout(self.dropout, dtype=policy)
        self.feed_forward = FeedForward(self.feedforward_dim, self.dropout, stddev, dtype=policy)
        self.feed_forward.build(input_shape)

    def call(
        self,
        inputs: KerasTensor,
        allowed: KerasTensor,
        bias: KerasTensor | None = None,
        training: bool = False,
    ) -> KerasTensor:
        attended = self.attention(inputs, allowed=allowed, bias=bias, training=training)
        attended = self.output_dropout(attended, training=training)
        hidden = self.attention_norm(inputs + attended)
        return self.feed_forward(hidden, training=training)

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "feedforward_dim": self.feedforward_dim,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
