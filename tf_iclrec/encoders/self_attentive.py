"""SASRec's encoder: a causal Transformer over the items."""

from typing import ClassVar

import keras
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.causal_transformer import CausalTransformer
from tf_iclrec.layers.masks import valid_mask


@keras.saving.register_keras_serializable("tf_iclrec")
class SelfAttentiveEncoder(keras.layers.Layer):
    """Self-attentive sequence encoder (SASRec, Kang and McAuley 2018; ICLRec Sec. 3.2).

    Item embeddings, LayerNorm and dropout, then causal Transformer blocks. Positions are
    either embedded (``relative_positions=False``, as published) or a bias on attention.

    Args:
        vocabulary_size: Number of ids, the three special ones included.
        max_length: Longest sequence.
        hidden_dim: Width of the hidden states. Defaults to 64.
        num_blocks: Transformer blocks. Defaults to 2.
        num_heads: Attention heads. Defaults to 2.
        feedforward_dim: Width inside the blocks. Defaults to ``4 * hidden_dim``.
        dropout: Share of embeddings, hidden values and attention weights dropped in training.
            Defaults to 0.5.
        relative_positions: Whether positions enter as a relative bias. Defaults to True.
        initializer_stddev: Standard deviation of initial weights. Defaults to 0.02.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side,
            ``time <= max_length``.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> encoder = SelfAttentiveEncoder(vocabulary_size=100, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    num_streams: ClassVar[int] = 1

    def __init__(
        self,
        vocabulary_size: int,
        max_length: int,
        hidden_dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 2,
        feedforward_dim: int | None = None,
        dropout: float = 0.5,
        relative_positions: bool = True,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.hidden_dim = hidden_dim
        self.num_blocks = num_blocks
        self.num_heads = num_heads
        self.feedforward_dim = feedforward_dim or 4 * hidden_dim
        self.dropout = dropout
        self.relative_positions = relative_positions
        self.initializer_stddev = initializer_stddev

    @property
    def output_dim(self) -> int:
        """Width of the item vectors, that of the hidden states."""
        return self.hidden_dim

    def build(self, input_shape=None):
        policy = {"dtype": self.dtype_policy}
        self.item_embedding = keras.layers.Embedding(
            self.vocabulary_size,
            self.hidden_dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=self.initializer_stddev),
            **policy,
        )
        self.item_embedding.build()
        self.transformer = CausalTransformer(
            self.num_blocks,
            self.num_heads,
            self.max_length,
            self.feedforward_dim,
            self.dropout,
            self.relative_positions,
            initializer_stddev=self.initializer_stddev,
            **policy,
        )
        self.transformer.build([(None, None, self.hidden_dim)])

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
        return ops.convert_to_tensor(self.item_embedding.embeddings)[NUM_SPECIAL_IDS:]

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "hidden_dim": self.hidden_dim,
            "num_blocks": self.num_blocks,
            "num_heads": self.num_heads,
            "feedforward_dim": self.feedforward_dim,
            "dropout": self.dropout,
            "relative_positions": self.relative_positions,
            "initializer_stddev": self.initializer_stddev,
        }
