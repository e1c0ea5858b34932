"""A Transformer block whose halves are let through by gates."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.layers.dense import built_dense
from tf_iclrec.layers.self_attention import SelfAttention


@keras.saving.register_keras_serializable("tf_iclrec")
class GatedTransformerBlock(keras.layers.Layer):
    """Self-attention and a SwiGLU network, normalised before and gated by what they add to.

    ::

        x = x + σ(W_1 x + b_1) ⊙ Dropout(Attention(LayerNorm(x)))
        x = x + σ(W_2 x + b_2) ⊙ Dropout(SwiGLU(LayerNorm(x)))
        SwiGLU(x) = C Dropout(SiLU(A x) ⊙ B x)

    (LiGR, Borisyuk et al. 2025, "From Features to Transformers", as eSASRec has it, Tikhonovich
    et al., RecSys 2025.) The gates see the sum so far without its norm.

    Args:
        num_heads: Attention heads; must divide the width of the input.
        feedforward_dim: Width of the hidden layer of the SwiGLU network.
        dropout: Share of attention weights and hidden values dropped. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        inputs: ``(batch, time, dim)``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key], true where seen.
        bias: Optional ``(num_heads, time, time)`` added to the attention scores.

    Returns:
        ``(batch, time, dim)``.

    Example:
    >>> block = GatedTransformerBlock(num_heads=2, feedforward_dim=32)
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
        dim, inner, policy = input_shape[-1], self.feedforward_dim, self.dtype_policy
        stddev = self.initializer_stddev
        self.attention = SelfAttention(self.num_heads, self.dropout, stddev, dtype=policy)
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        self.feedforward_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        for layer in (self.attention, self.attention_norm, self.feedforward_norm):
            layer.build(input_shape)
        self.attention_gate = built_dense(dim, dim, "attention_gate", stddev, policy, ops.sigmoid)
        self.feedforward_gate = built_dense(
            dim, dim, "feedforward_gate", stddev, policy, ops.sigmoid
        )
        # A and B in one product.
        self.expand = built_dense(dim, 2 * inner, "expand", stddev, policy, use_bias=False)
        self.contract = built_dense(inner, dim, "contract", stddev, policy, use_bias=False)
        self.value_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(
        self,
        inputs: KerasTensor,
        allowed: KerasTensor,
        bias: KerasTensor | None = None,
        training: bool = False,
    ) -> KerasTensor:
        attended = self.attention(
            self.attention_norm(inputs), allowed=allowed, bias=bias, training=training
        )
        attended = self.value_dropout(attended, training=training)
        hidden = inputs + self.attention_gate(inputs) * attended
        switch, value = ops.split(self.expand(self.feedforward_norm(hidden)), 2, axis=-1)
        inner = self.value_dropout(ops.silu(switch) * value, training=training)
        update = self.value_dropout(self.contract(inner), training=training)
        return hidden + self.feedforward_gate(hidden) * update

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "feedforward_dim": self.feedforward_dim,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
