"""HSTU's encoder: attention without softmax, gated."""

import math
from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.masks import causal_mask
from tf_iclrec.layers.relative_position_bias import RelativePositionBias
from tf_iclrec.layers.row_dropout import RowDropout
from tf_iclrec.layers.transduction_block import TransductionBlock
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class HSTUEncoder(Encoder):
    """Hierarchical sequential transduction units (HSTU, Zhai et al., ICML 2024, Sec. 3).

    Item embeddings times ``√hidden_dim`` and dropout, then blocks of pointwise attention with a
    relative position bias per block and head, see `TransductionBlock`. The authors' program adds
    a bias of the time between two items, which needs times, and embedded positions beside the
    bias; both are left out.

    Args:
        num_blocks: Blocks. Defaults to 2.
        num_heads: Attention heads. Defaults to 1.

        For the others see `Encoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> encoder = HSTUEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    @checked
    def __init__(
        self,
        *args,
        num_blocks: Annotated[int, Setting("transduction blocks", at_least=1)] = 2,
        num_heads: Annotated[int, Setting("attention heads", at_least=1)] = 1,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_blocks = num_blocks
        self.num_heads = num_heads

    def build_layers(self):
        policy = {"dtype": self.dtype_policy}
        self.embedding_dropout = RowDropout(self.dropout, **policy)
        self.positions = [
            RelativePositionBias(self.num_heads, self.max_length, **policy)
            for _ in range(self.num_blocks)
        ]
        self.blocks = [
            TransductionBlock(
                self.num_heads, self.max_length, self.dropout, self.initializer_stddev, **policy
            )
            for _ in range(self.num_blocks)
        ]
        for layer in [*self.positions, *self.blocks]:
            layer.build((None, None, self.hidden_dim))

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        hidden = self.embedding_dropout(items * math.sqrt(self.hidden_dim), training=training)
        allowed = causal_mask(valid)
        for positions, block in zip(self.positions, self.blocks, strict=True):
            hidden = block(hidden, allowed=allowed, bias=positions(valid), training=training)
        return hidden * ops.cast(valid, hidden.dtype)[..., None]

    def get_config(self):
        return super().get_config() | {"num_blocks": self.num_blocks, "num_heads": self.num_heads}
