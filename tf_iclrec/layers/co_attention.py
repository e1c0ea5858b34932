"""Multi-head attention between two streams of the same steps."""

import functools

import keras
from keras import KerasTensor

from tf_iclrec.layers.attention import attend, check_heads, split_heads
from tf_iclrec.layers.dense import built_dense


@keras.saving.register_keras_serializable("tf_iclrec")
class CoAttention(keras.layers.Layer):
    """Each stream is read with the queries of the other (IPSRec Eq. 7-11).

    ``CA_i = softmax(Q_p K_iᵀ / sqrt(dim / heads)) V_i`` for the items and
    ``CA_p = softmax(Q_i K_pᵀ / sqrt(dim / heads)) V_p`` for the providers: what is looked for
    in one stream is asked by the other. Each result has its own linear output layer.

    Args:
        num_heads: Attention heads; must divide the width of the input.
        dropout: Share of attention weights dropped in training. Defaults to 0.
        initializer_stddev: Standard deviation of the initial kernels. Defaults to 0.02.

    Call arguments:
        items: ``(batch, time, dim)``.
        providers: ``(batch, time, dim)``, step by step beside ``items``.
        allowed: ``(batch, time, time)`` bool, [batch, query, key], for both directions.
        biases: Optional pair of ``(num_heads, time, time)``, added to the scores over items
            and over providers.

    Returns:
        Two tensors ``(batch, time, dim)``: items, providers.

    Example:
    >>> from keras import ops
    >>> stream = ops.ones((4, 3, 8))
    >>> outputs = CoAttention(num_heads=2)(
    ...     stream, stream, allowed=ops.ones((4, 3, 3), dtype="bool"))
    >>> [output.shape for output in outputs]
    [TensorShape([4, 3, 8]), TensorShape([4, 3, 8])]
    """

    def __init__(
        self, num_heads: int, dropout: float = 0.0, initializer_stddev: float = 0.02, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.dropout = dropout
        self.initializer_stddev = initializer_stddev

    def build(self, items_shape, providers_shape=None):
        dim, policy = items_shape[-1], self.dtype_policy
        check_heads(dim, self.num_heads)
        stddev = self.initializer_stddev
        self.query_key_value = [
            built_dense(dim, 3 * dim, f"{side}_query_key_value", stddev, policy)
            for side in ("item", "provider")
        ]
        self.output_dense = [
            built_dense(dim, dim, f"{side}_output", stddev, policy) for side in ("item", "provider")
        ]
        self.attention_dropout = keras.layers.Dropout(self.dropout, dtype=policy)

    def call(
        self,
        items: KerasTensor,
        providers: KerasTensor,
        allowed: KerasTensor,
        biases: tuple[KerasTensor, KerasTensor] | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, KerasTensor]:
        (item_query, *item_memory), (provider_query, *provider_memory) = (
            split_heads(dense(stream), self.num_heads)
            for dense, stream in zip(self.query_key_value, (items, providers), strict=True)
        )
        item_bias, provider_bias = biases or (None, None)
        dropout = functools.partial(self.attention_dropout, training=training)
        attended = (
            attend(provider_query, *item_memory, allowed, item_bias, dropout),
            attend(item_query, *provider_memory, allowed, provider_bias, dropout),
        )
        fused_items, fused_providers = (
            dense(stream) for dense, stream in zip(self.output_dense, attended, strict=True)
        )
        return fused_items, fused_providers

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "initializer_stddev": self.initializer_stddev,
        }
