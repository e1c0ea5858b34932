"""What encoders that are built of Transformers have in common."""

from typing import Annotated

from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.causal_transformer import CausalTransformer
from tf_iclrec.settings import Setting, checked


class TransformerEncoder(Encoder):
    """Base of the encoders with Transformers: their settings, and Transformers built by them.

    Args:
        num_blocks: Transformer blocks. Defaults to 2.
        num_heads: Attention heads. Defaults to 2.
        feedforward_dim: Width inside the blocks. Defaults to ``4 * hidden_dim``.
        relative_positions: Whether positions enter as a relative bias. Defaults to True.

        For the others see `Encoder`.
    """

    @checked
    def __init__(
        self,
        *args,
        num_blocks: Annotated[int, Setting("Transformer blocks", at_least=1)] = 2,
        num_heads: Annotated[int, Setting("attention heads", at_least=1)] = 2,
        feedforward_dim: int | None = None,
        relative_positions: Annotated[
            bool, Setting("relative attention bias in place of embedded positions")
        ] = True,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_blocks = num_blocks
        self.num_heads = num_heads
        self.feedforward_dim = feedforward_dim or 4 * self.hidden_dim
        self.relative_positions = relative_positions

    def built_transformer(
        self, num_streams: int, name: str, two_sided: bool = False
    ) -> CausalTransformer:
        """A built Transformer over so many streams, with the settings of this encoder; for
        ``two_sided`` see `CausalTransformer`."""
        transformer = CausalTransformer(
            self.num_blocks,
            self.num_heads,
            self.max_length,
            self.feedforward_dim,
            self.dropout,
            self.relative_positions,
            num_streams,
            self.initializer_stddev,
            two_sided,
            dtype=self.dtype_policy,
            name=name,
        )
        transformer.build([(None, None, self.hidden_dim)] * num_streams)
        return transformer

    def get_config(self):
        return super().get_config() | {
            "num_blocks": self.num_blocks,
            "num_heads": self.num_heads,
            "feedforward_dim": self.feedforward_dim,
            "relative_positions": self.relative_positions,
        }
