"""Co-attention fusion of an item and a provider stream."""

import keras
from keras import KerasTensor

from tf_iclrec.layers.co_attention import CoAttention
from tf_iclrec.layers.feed_forward import FeedForward
from tf_iclrec.layers.norm import built_norm


@keras.saving.register_keras_serializable("tf_iclrec")
class CoAttentionBlock(keras.layers.Layer):
    """Co-attention, then residual, LayerNorm and a feed-forward network for each stream
    (IPSRec Sec. 2.2).

    Args:
        num_heads: Attention heads.
        feedforward_dim: Width inside the feed-forward networks.
        dropout: Share of hidden values and attention weights dropped. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        items: ``(batch, time, dim)``.
        providers: ``(batch, time, dim)``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key].
        biases: Optional pair of ``(num_heads, time, time)`` attention biases.

    Returns:
        Two tensors ``(batch, time, dim)``: items, providers. Values at padded positions have
        no meaning.

    Example:
    >>> from keras import ops
    >>> stream = ops.ones((4, 3, 8))
    >>> block = CoAttentionBlock(num_heads=2, feedforward_dim=32)
    >>> items, providers = block(stream, stream, allowed=ops.ones((4, 3, 3), dtype="bool"))
    >>> items.shape
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

    def build(self, items_shape, providers_shape=None):
        policy, stddev = self.dtype_policy, self.initializer_stddev
        self.attention = CoAttention(self.num_heads, self.dropout, stddev, dtype=policy)
        self.attention.build(items_shape)
        self.attention_norms = [
            built_norm(items_shape[-1], policy, f"{side}_attention_norm")
            for side in ("item", "provider")
        ]
        self.feed_forwards = [
            FeedForward(
                self.feedforward_dim,
                self.dropout,
                stddev,
                dtype=policy,
                name=f"{side}_feed_forward",
            )
            for side in ("item", "provider")
        ]
        for layer in self.feed_forwards:
            layer.build(items_shape)
        self.output_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(
        self,
        items: KerasTensor,
        providers: KerasTensor,
        allowed: KerasTensor,
        biases: tuple[KerasTensor, KerasTensor] | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, KerasTensor]:
        attended = self.attention(
            items, providers, allowed=allowed, biases=biases, training=training
        )
        fused_items, fused_providers = (
            feed_forward(
                norm(stream + self.output_dropout(update, training=training)), training=training
            )
            for stream, update, norm, feed_forward in zip(
                (items, providers), attended, self.attention_norms, self.feed_forwards, strict=True
            )
        )
        return fused_items, fused_providers

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "feedforward_dim": self.feedforward_dim,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
