"""IPSRec-C: a Transformer for each side, fused by co-attention."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.encoders.item_provider_encoder import ItemProviderEncoder
from tf_iclrec.layers.co_attention_block import CoAttentionBlock
from tf_iclrec.layers.masks import causal_mask
from tf_iclrec.layers.relative_position_bias import RelativePositionBias
from tf_iclrec.layers.segment_embedding import SegmentEmbedding
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class CrossStreamEncoder(ItemProviderEncoder):
    """Two Transformers, then co-attention blocks between them (IPSRec Sec. 2.2).

    Args:
        num_fusion_blocks: Co-attention blocks. Defaults to 1.

        For the others see `ItemProviderEncoder`.

    Returns:
        Hidden states of the items and of the providers, each ``(batch, time, hidden_dim)``,
        zero at padded positions. A position sees both sides up to its own step.

    Example:
    >>> encoder = CrossStreamEncoder(100, 20, max_length=50)
    >>> items, providers = encoder(
    ...     {"item_ids": ops.array([[0, 5, 9]]), "provider_ids": ops.array([[0, 4, 4]])})
    >>> items.shape, providers.shape
    (TensorShape([1, 3, 64]), TensorShape([1, 3, 64]))
    """

    @checked
    def __init__(
        self,
        *args,
        num_fusion_blocks: Annotated[int, Setting("co-attention blocks", at_least=1)] = 1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_fusion_blocks = num_fusion_blocks

    def build_streams(self):
        policy, hidden_shape = {"dtype": self.dtype_policy}, (None, None, self.hidden_dim)
        self.segments = SegmentEmbedding(2, self.hidden_dim, self.initializer_stddev, **policy)
        self.segments.build()
        self.item_transformer = self.built_transformer(1, "item_transformer")
        self.provider_transformer = self.built_transformer(1, "provider_transformer")
        self.fusion_blocks = [
            CoAttentionBlock(
                self.num_heads,
                self.feedforward_dim,
                self.dropout,
                initializer_stddev=self.initializer_stddev,
                **policy,
            )
            for _ in range(self.num_fusion_blocks)
        ]
        # Embedded positions are in the streams already; a bias is needed at every attention.
        self.fusion_positions = [
            RelativePositionBias(2 * self.num_heads, self.max_length, **policy)
            for _ in range(self.num_fusion_blocks if self.relative_positions else 0)
        ]
        for layer in self.fusion_blocks + self.fusion_positions:
            layer.build(hidden_shape)

    def encode_streams(self, items, providers, valid, training) -> tuple[KerasTensor, KerasTensor]:
        items, providers = self.segments([items, providers])
        (items,) = self.item_transformer([items], valid, training=training)
        (providers,) = self.provider_transformer([providers], valid, training=training)
        allowed = causal_mask(valid)
        for index, block in enumerate(self.fusion_blocks):
            biases = None
            if self.relative_positions:
                biases = tuple(ops.split(self.fusion_positions[index](valid), 2, axis=0))
            items, providers = block(
                items, providers, allowed=allowed, biases=biases, training=training
            )
        real = ops.cast(valid, items.dtype)[..., None]
        return items * real, providers * real

    def get_config(self):
        return super().get_config() | {"num_fusion_blocks": self.num_fusion_blocks}
