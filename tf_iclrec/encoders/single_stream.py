"""IPSRec-S: one Transformer over items and providers."""

import keras
from keras import KerasTensor

from tf_iclrec.encoders.item_provider_encoder import ItemProviderEncoder
from tf_iclrec.layers.segment_embedding import SegmentEmbedding


@keras.saving.register_keras_serializable("tf_iclrec")
class SingleStreamEncoder(ItemProviderEncoder):
    """Items and providers as one sequence of twice the length (IPSRec Sec. 2.1).

    Each side gets its segment and position embeddings; a position sees items and providers up
    to its own step.

    Args:
        See `ItemProviderEncoder`.

    Returns:
        Hidden states of the items and of the providers, each ``(batch, time, hidden_dim)``,
        zero at padded positions.

    Example:
    >>> from keras import ops
    >>> encoder = SingleStreamEncoder(100, 20, max_length=50)
    >>> items, providers = encoder(
    ...     {"item_ids": ops.array([[0, 5, 9]]), "provider_ids": ops.array([[0, 4, 4]])})
    >>> items.shape, providers.shape
    (TensorShape([1, 3, 64]), TensorShape([1, 3, 64]))
    """

    def build_streams(self):
        self.segments = SegmentEmbedding(
            2, self.hidden_dim, self.initializer_stddev, dtype=self.dtype_policy
        )
        self.segments.build()
        self.transformer = self.built_transformer(2, "transformer")

    def encode_streams(self, items, providers, valid, training) -> tuple[KerasTensor, KerasTensor]:
        streams = self.segments([items, providers])
        items, providers = self.transformer(streams, valid, training=training)
        return items, providers
