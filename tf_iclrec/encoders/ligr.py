"""eSASRec's encoder: a causal Transformer with gated residuals."""

import keras
from keras import KerasTensor, ops

from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.gated_transformer_block import GatedTransformerBlock
from tf_iclrec.layers.masks import causal_mask
from tf_iclrec.layers.position_embedding import PositionEmbedding
from tf_iclrec.layers.relative_position_bias import RelativePositionBias
from tf_iclrec.layers.row_dropout import RowDropout


@keras.saving.register_keras_serializable("tf_iclrec")
class LiGREncoder(TransformerEncoder):
    """LiGR Transformer blocks over the items (eSASRec, Tikhonovich et al., RecSys 2025).

    Item embeddings and dropout, then `GatedTransformerBlock`s (LiGR, Borisyuk et al. 2025).
    Positions are either embedded (``relative_positions=False``, as published) or a bias on
    attention. eSASRec is this encoder with a sampled softmax loss.

    Args:
        See `TransformerEncoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> encoder = LiGREncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    def build_layers(self):
        policy = {"dtype": self.dtype_policy}
        if self.relative_positions:
            self.positions = [
                RelativePositionBias(self.num_heads, self.max_length, **policy)
                for _ in range(self.num_blocks)
            ]
        else:
            self.positions = [
                PositionEmbedding(
                    self.max_length, self.hidden_dim, self.initializer_stddev, **policy
                )
            ]
        self.embedding_dropout = RowDropout(self.dropout, **policy)
        self.blocks = [
            GatedTransformerBlock(
                self.num_heads,
                self.feedforward_dim,
                self.dropout,
                self.initializer_stddev,
                **policy,
            )
            for _ in range(self.num_blocks)
        ]
        for layer in [*self.positions, *self.blocks]:
            layer.build((None, None, self.hidden_dim))

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        if self.relative_positions:
            biases = [positions(valid) for positions in self.positions]
        else:
            biases = [None] * self.num_blocks
            items = items + self.positions[0](valid)
        hidden = self.embedding_dropout(items, training=training)
        allowed = causal_mask(valid)
        for block, bias in zip(self.blocks, biases, strict=True):
            hidden = block(hidden, allowed=allowed, bias=bias, training=training)
        return hidden * ops.cast(valid, hidden.dtype)[..., None]
