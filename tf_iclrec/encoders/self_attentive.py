"""SASRec's encoder: a causal Transformer over the items."""

import keras
from keras import KerasTensor

from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.layers.id_embedding import IdEmbedding, without_special_ids
from tf_iclrec.layers.masks import valid_mask


@keras.saving.register_keras_serializable("tf_iclrec")
class SelfAttentiveEncoder(TransformerEncoder):
    """Self-attentive sequence encoder (SASRec, Kang and McAuley 2018; ICLRec Sec. 3.2).

    Item embeddings, LayerNorm and dropout, then causal Transformer blocks. Positions are
    either embedded (``relative_positions=False``, as published) or a bias on attention.

    Args:
        See `TransformerEncoder`.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side,
            ``time <= max_length``.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> from keras import ops
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    def build(self, input_shape=None):
        self.item_embedding = IdEmbedding(
            self.vocabulary_size,
            self.hidden_dim,
            self.initializer_stddev,
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.item_embedding.build()
        self.transformer = self.built_transformer(1, "transformer")

    def call(self, inputs: dict[str, KerasTensor], training: bool = False) -> KerasTensor:
        item_ids = inputs["item_ids"]
        embedded = self.item_embedding(item_ids)
        (hidden,) = self.transformer([embedded], valid_mask(item_ids), training=training)
        return hidden

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Output vectors of items, tied to the input embedding.

        Args:
            item_ids: Internal ids ``(...,)`` int32; without it, the whole catalogue.

        Returns:
            ``(..., hidden_dim)`` in the compute dtype for given ids, otherwise
            ``(vocabulary_size - 3, hidden_dim)`` float32, row ``i`` belonging to the internal
            id ``i + 3``.
        """
        if item_ids is not None:
            return self.item_embedding(item_ids)
        return without_special_ids(self.item_embedding.embeddings)
