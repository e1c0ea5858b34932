"""GRU4Rec's encoder: a recurrent network over the items."""

from typing import Annotated

import keras
from keras import KerasTensor, ops

from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.layers.gated_recurrent_unit import GatedRecurrentUnit
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class GruEncoder(Encoder):
    """Gated recurrent units over a sequence (GRU4Rec, Hidasi et al., ICLR 2016, Sec. 3).

    The hidden state is the last layer's state after each item, read into the width of item vectors
    by a linear layer where its own is another. What the paper calls a session is a sequence here,
    and its layer of item scores is tied to the embedding. For the equations see
    `GatedRecurrentUnit`.

    Args:
        num_layers: Recurrent layers, each over the states of the one before. Defaults to 1.
        gru_dim: Width of the recurrent states; 0 means ``hidden_dim``. Defaults to 0.

        For the others see `Encoder`. Dropout is that of the inputs of each layer.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> encoder = GruEncoder(vocabulary_size=100, max_length=50, gru_dim=128)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]])}).shape
    TensorShape([1, 3, 64])
    """

    @checked
    def __init__(
        self,
        *args,
        num_layers: Annotated[int, Setting("recurrent layers", at_least=1)] = 1,
        gru_dim: Annotated[
            int, Setting("width of the recurrent states; 0: hidden_dim", at_least=0)
        ] = 0,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.num_layers = num_layers
        self.gru_dim = gru_dim

    def build_layers(self):
        policy = self.dtype_policy
        width = self.gru_dim or self.hidden_dim
        self.input_dropout = keras.layers.Dropout(self.dropout, dtype=policy)
        self.recurrent_layers = [
            GatedRecurrentUnit(width, dtype=policy, name=f"recurrent_{index}")
            for index in range(self.num_layers)
        ]
        for index, layer in enumerate(self.recurrent_layers):
            layer.build((None, None, width if index else self.hidden_dim))
        self.output_projection = None
        if width != self.hidden_dim:
            self.output_projection = keras.layers.Dense(
                self.hidden_dim, dtype=policy, name="output"
            )
            self.output_projection.build((None, None, width))

    def encode(self, items: KerasTensor, valid: KerasTensor, training: bool) -> KerasTensor:
        hidden = items
        for layer in self.recurrent_layers:
            hidden = layer(self.input_dropout(hidden, training=training), valid)
        if self.output_projection:
            hidden = self.output_projection(hidden)
        return hidden * ops.cast(valid, hidden.dtype)[..., None]

    def get_config(self):
        return super().get_config() | {"num_layers": self.num_layers, "gru_dim": self.gru_dim}
