"""The second half of a Transformer block."""

import keras
from keras import KerasTensor

from tf_iclrec.layers.dense import built_dense
from tf_iclrec.layers.norm import built_norm


@keras.saving.register_keras_serializable("tf_iclrec")
class FeedForward(keras.layers.Layer):
    """Two linear layers at each position, with dropout, residual and LayerNorm.

    ``LayerNorm(x + Dropout(W2 gelu(W1 x)))`` with the exact GELU.

    Args:
        hidden_dim: Width between the two linear layers.
        dropout: Share of the output dropped in training. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        inputs: ``(batch, time, dim)``.

    Returns:
        ``(batch, time, dim)``.

    Example:
    >>> from keras import ops
    >>> FeedForward(hidden_dim=32)(ops.ones((4, 3, 8))).shape
    TensorShape([4, 3, 8])
    """

    def __init__(
        self,
        hidden_dim: int,
        dropout: float = 0.0,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape):
        dim, policy = input_shape[-1], self.dtype_policy
        stddev = self.initializer_stddev
        self.expand = built_dense(
            dim, self.hidden_dim, "expand", stddev, policy, keras.activations.gelu
        )
        self.contract = built_dense(self.hidden_dim, dim, "contract", stddev, policy)
        self.norm = built_norm(dim, policy)
        self.output_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        update = self.contract(self.expand(inputs))
        return self.norm(inputs + self.output_dropout(update, training=training))

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
