"""What encoders that are built of Transformers have in common."""

from typing import ClassVar

import keras

from tf_iclrec.layers.causal_transformer import CausalTransformer


class TransformerEncoder(keras.layers.Layer):
    """Base of the encoders: their settings, and Transformers built by them.

    Args:
        vocabulary_size: Number of item ids, the three special ones included.
        max_length: Longest sequence.
        hidden_dim: Width of the hidden states. Defaults to 64.
        num_blocks: Transformer blocks. Defaults to 2.
        num_heads: Attention heads. Defaults to 2.
        feedforward_dim: Width inside the blocks. Defaults to ``4 * hidden_dim``.
        dropout: Share of embeddings, hidden values and attention weights dropped in training.
            Defaults to 0.5.
        relative_positions: Whether positions enter as a relative bias. Defaults to True.
        initializer_stddev: Standard deviation of initial weights. Defaults to 0.02.
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
        """Width of the item vectors, that of the states of all streams side by side."""
        return self.num_streams * self.hidden_dim

    def built_transformer(self, num_streams: int, name: str) -> CausalTransformer:
        """A built Transformer over so many streams, with the settings of this encoder."""
        transformer = CausalTransformer(
            self.num_blocks,
            self.num_heads,
            self.max_length,
            self.feedforward_dim,
            self.dropout,
            self.relative_positions,
            num_streams,
            self.initializer_stddev,
            dtype=self.dtype_policy,
            name=name,
        )
        transformer.build([(None, None, self.hidden_dim)] * num_streams)
        return transformer

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
