"""The simplest way to use providers: add their vectors to the items'."""

import keras
from keras import KerasTensor

from tf_iclrec.encoders.item_provider_encoder import ItemProviderEncoder
from tf_iclrec.settings import checked


@keras.saving.register_keras_serializable("tf_iclrec")
class ProviderSumEncoder(ItemProviderEncoder):
    """SASRec's encoder over the sum of item and provider embeddings.

    The sum stands at the input and, tied, at the output. It costs nothing, and encoders with two
    streams have to beat it.

    Args:
        value_learning_rate: How fast vectors of providers and attributes learn, in multiples of the
            items'. Defaults to 3: they stand for many items each, and gain by it.

        For the others see `ItemProviderEncoder`.

    Returns:
        Hidden states ``(batch, time, hidden_dim)``, zero at padded positions. A position sees
        itself and what came before it.

    Example:
    >>> from keras import ops
    >>> encoder = ProviderSumEncoder(100, 20, max_length=50)
    >>> encoder({"item_ids": ops.array([[0, 5, 9]]), "provider_ids": ops.array([[0, 4, 4]])}).shape
    TensorShape([1, 3, 64])
    """

    num_streams = 1

    @checked
    def __init__(self, *args, value_learning_rate: float = 3.0, **kwargs):
        super().__init__(*args, value_learning_rate=value_learning_rate, **kwargs)

    def build_streams(self):
        self.transformer = self.built_transformer(1, "transformer")

    def encode_streams(self, items, providers, valid, training) -> KerasTensor:
        (hidden,) = self.transformer([items], valid, training=training)
        return hidden

    def join(self, items, providers) -> KerasTensor:
        return items
