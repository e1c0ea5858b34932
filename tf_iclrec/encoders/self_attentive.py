"""SASRec's encoder: a causal Transformer over the items."""

import keras
from keras import KerasTensor

from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.masks import valid_mask


@keras.saving.register_keras_serializable("tf_iclrec")
class SelfAttentiveEncoder(TransformerEncoder):
    """Self-attentive sequence encoder (SASRec, Kang and McAuley 2018; ICLRec Sec. 3.2).

    Item embeddings, LayerNorm and dropout, then causal Transformer blocks. Positions are
    either embedded (``relative_positions=False``, as published) or a bias on attention.

    Args:
        See `TransformerEncoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> from keras import ops
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    def build_layers(self):
        self.transformer = self.built_transformer(1, "transformer")

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        (hidden,) = self.transformer([items], valid, training=training)
        return hidden

    def encode_both_sides(
        self, inputs: dict[str, KerasTensor], training: bool = False
    ) -> KerasTensor:
        """Hidden states with which each position sees all of the sequence (S3-Rec Sec. 4.2.2).

        The relative bias, which training for the next item has no use for on the other side, is
        the same for all later positions.
        """
        item_ids = inputs["item_ids"]
        (hidden,) = self.transformer(
            [self.item_embedding(item_ids)], valid_mask(item_ids), training=training, causal=False
        )
        return hidden
