"""A stack of Transformer blocks over one or several streams of the same steps."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from tf_iclrec.layers.masks import causal_mask, or_else_all, two_sided_mask
from tf_iclrec.layers.norm import built_norm
from tf_iclrec.layers.position_embedding import PositionEmbedding
from tf_iclrec.layers.relative_position_bias import RelativePositionBias
from tf_iclrec.layers.row_dropout import RowDropout
from tf_iclrec.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable("tf_iclrec")
class CausalTransformer(keras.layers.Layer):
    """Positions, LayerNorm and dropout, then causal Transformer blocks.

    With several streams, one Transformer reads all of them: a position sees every stream up
    to its own step. Positions are either embedded, with a table per stream, or a bias on
    attention, with a table per pair of streams.

    The same weights can be used without the mask, for tasks that ask for an item from both sides:
    called with ``causal=False``, each real position sees all real positions.

    Args:
        num_blocks: Transformer blocks.
        num_heads: Attention heads.
        max_length: Longest sequence.
        feedforward_dim: Width inside the blocks.
        dropout: Share of embeddings, hidden values and attention weights dropped in training.
            Defaults to 0.
        relative_positions: Whether positions enter as a relative bias. Defaults to True.
        num_streams: Number of streams. Defaults to 1.
        initializer_stddev: Standard deviation of initial weights. Defaults to 0.02.
        two_sided: Whether a relative bias tells how far away later positions are. Defaults to
            False: it is 0 for all of them.

    Call arguments:
        streams: List of ``num_streams`` embedded sequences ``(batch, time, dim)``,
            ``time <= max_length``.
        valid: ``(batch, time)`` bool, true at real positions; the same for all streams.
        causal: Whether later positions are hidden. Defaults to True.
        places: Optional ``(time,)`` int32, the row of the table of embedded positions for each
            column, in place of counting from the last real position.
        shown: Optional ``(batch, time)`` bool: positions that may see no real one, such as padding,
            see all these, and no state is set to zero.

    Returns:
        List of as many hidden states ``(batch, time, dim)``, zero at padded positions unless
        ``shown`` is given.

    Example:
    >>> transformer = CausalTransformer(
    ...     num_blocks=1, num_heads=2, max_length=50, feedforward_dim=32, num_streams=2)
    >>> valid = ops.array([[False, True, True]])
    >>> [hidden.shape for hidden in transformer([ops.ones((1, 3, 8)), ops.ones((1, 3, 8))], valid)]
    [TensorShape([1, 3, 8]), TensorShape([1, 3, 8])]
    """

    def __init__(
        self,
        num_blocks: int,
        num_heads: int,
        max_length: int,
        feedforward_dim: int,
        dropout: float = 0.0,
        relative_positions: bool = True,
        num_streams: int = 1,
        initializer_stddev: float = 0.02,
        two_sided: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_blocks = num_blocks
        self.num_heads = num_heads
        self.max_length = max_length
        self.feedforward_dim = feedforward_dim
        self.dropout = dropout
        self.relative_positions = relative_positions
        self.num_streams = num_streams
        self.initializer_stddev = initializer_stddev
        self.two_sided = two_sided

    def build(self, streams_shape: Sequence[tuple], valid_shape=None):
        policy = {"dtype": self.dtype_policy}
        dim = streams_shape[0][-1]
        if self.relative_positions:
            tables = self.num_heads * self.num_streams**2
            self.positions = [
                RelativePositionBias(tables, self.max_length, self.two_sided, **policy)
                for _ in range(self.num_blocks)
            ]
        else:
            self.positions = [
                PositionEmbedding(self.max_length, dim, self.initializer_stddev, **policy)
                for _ in range(self.num_streams)
            ]
        self.embedding_norm = built_norm(dim, **policy)
        self.embedding_dropout = RowDropout(self.dropout, **policy)
        self.blocks = [
            TransformerBlock(
                self.num_heads,
                self.feedforward_dim,
                self.dropout,
                initializer_stddev=self.initializer_stddev,
                **policy,
            )
            for _ in range(self.num_blocks)
        ]
        for layer in [*self.positions, *self.blocks]:
            layer.build((None, None, dim))

    def call(
        self,
        streams: Sequence[KerasTensor],
        valid: KerasTensor,
        training: bool = False,
        causal: bool = True,
        places: KerasTensor | None = None,
        shown: KerasTensor | None = None,
    ) -> list[KerasTensor]:
        biases = [None] * self.num_blocks
        if self.relative_positions:
            biases = [self._bias_between_streams(positions(valid)) for positions in self.positions]
        else:
            streams = [
                stream + (positions(valid) if places is None else positions.at(places))
                for stream, positions in zip(streams, self.positions, strict=True)
            ]
        # One stream after the other along time.
        hidden = self.embedding_norm(ops.concatenate(list(streams), axis=1))
        hidden = self.embedding_dropout(hidden, training=training)
        allowed = causal_mask(valid) if causal else two_sided_mask(valid)
        if shown is not None:
            allowed = or_else_all(allowed, shown)
        allowed = ops.tile(allowed, (1, self.num_streams, self.num_streams))
        for block, bias in zip(self.blocks, biases, strict=True):
            hidden = block(hidden, allowed=allowed, bias=bias, training=training)
        states = ops.split(hidden, self.num_streams, axis=1)
        if shown is not None:
            return states
        real = ops.cast(valid, hidden.dtype)[..., None]
        return [stream * real for stream in states]

    def _bias_between_streams(self, bias: KerasTensor) -> KerasTensor:
        """``(heads * streams², time, time)`` to ``(heads, streams * time, streams * time)``."""
        time, streams = ops.shape(bias)[-1], self.num_streams
        bias = ops.reshape(bias, (self.num_heads, streams, streams, time, time))
        bias = ops.transpose(bias, (0, 1, 3, 2, 4))
        return ops.reshape(bias, (self.num_heads, streams * time, streams * time))

    def get_config(self):
        return super().get_config() | {
            "num_blocks": self.num_blocks,
            "num_heads": self.num_heads,
            "max_length": self.max_length,
            "feedforward_dim": self.feedforward_dim,
            "dropout": self.dropout,
            "relative_positions": self.relative_positions,
            "num_streams": self.num_streams,
            "initializer_stddev": self.initializer_stddev,
            "two_sided": self.two_sided,
        }
