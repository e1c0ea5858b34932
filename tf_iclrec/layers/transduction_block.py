"""One block of HSTU: attention without softmax, and a gate in place of a feed-forward network."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.layers.attention import check_heads
from tf_iclrec.layers.dense import built_dense


@keras.saving.register_keras_serializable("tf_iclrec")
class TransductionBlock(keras.layers.Layer):
    """Hierarchical sequential transduction unit (HSTU, Zhai et al., ICML 2024, Eq. 1-3).

    With ``φ`` the SiLU, per head in the second line::

        [U; V; Q; K] = φ(W Norm(x))
        A = φ(Q Kᵀ + bias) / length
        y = x + W_out Dropout(Norm(A V) ⊙ U) + b

    Without softmax a query's weights need not sum to one: how much of something there was in a
    sequence is not lost. ``Norm`` is a LayerNorm without weights of its own. The residual, the
    division by the longest length and the norm at the input are those of the authors' program.

    Args:
        num_heads: Attention heads; must divide the width of the input.
        max_length: The ``length``: a constant, so that padding changes nothing.
        dropout: Share of gated values dropped in training. Defaults to 0.
        initializer_stddev: Standard deviation of the initial ``W``. Defaults to 0.02; ``W_out``
            starts by Glorot's rule, as published.

    Call arguments:
        inputs: ``(batch, time, dim)``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key], true where seen.
        bias: ``(num_heads, time, time)`` added to the products of queries and keys.

    Returns:
        ``(batch, time, dim)``.

    Example:
    >>> block = TransductionBlock(num_heads=2, max_length=50)
    >>> allowed, bias = ops.ones((4, 3, 3), dtype="bool"), ops.zeros((2, 3, 3))
    >>> block(ops.ones((4, 3, 8)), allowed=allowed, bias=bias).shape
    TensorShape([4, 3, 8])
    """

    def __init__(
        self,
        num_heads: int,
        max_length: int,
        dropout: float = 0.0,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.max_length = max_length
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape):
        dim, policy = input_shape[-1], self.dtype_policy
        check_heads(dim, self.num_heads)
        self.input_norm, self.attended_norm = (
            keras.layers.LayerNormalization(
                epsilon=1e-6, center=False, scale=False, dtype=policy, name=name
            )
            for name in ("input_norm", "attended_norm")
        )
        self.projection = built_dense(
            dim, 4 * dim, "projection", self.initializer_stddev, policy, use_bias=False
        )
        self.output_dense = keras.layers.Dense(dim, dtype=policy, name="output")
        for layer in (self.input_norm, self.attended_norm, self.output_dense):
            layer.build((None, None, dim))
        self.gated_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(
        self,
        inputs: KerasTensor,
        allowed: KerasTensor,
        bias: KerasTensor,
        training: bool = False,
    ) -> KerasTensor:
        mixed = ops.silu(self.projection(self.input_norm(inputs)))
        gate, *heads = ops.split(mixed, 4, axis=-1)
        value, query, key = (self._by_head(part) for part in heads)
        weights = ops.silu(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) + bias)
        weights = weights * ops.cast(allowed, weights.dtype)[:, None] / self.max_length
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        attended = self.attended_norm(ops.reshape(attended, ops.shape(gate)))
        gated = self.gated_dropout(attended * gate, training=training)
        return inputs + self.output_dense(gated)

    def _by_head(self, values: KerasTensor) -> KerasTensor:
        """``(batch, time, dim)`` to ``(batch, heads, time, dim / heads)``."""
        time, dim = ops.shape(values)[1], values.shape[-1]
        values = ops.reshape(values, (-1, time, self.num_heads, dim // self.num_heads))
        return ops.transpose(values, (0, 2, 1, 3))

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "max_length": self.max_length,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
