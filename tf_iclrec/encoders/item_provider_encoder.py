"""What encoders of items and their providers have in common."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.catalogue import Catalogue
from tf_iclrec.data.item_attributes import ItemAttribute
from tf_iclrec.data.new_items import MeansOfKindred
from tf_iclrec.data.vocabulary import UNKNOWN_ID
from tf_iclrec.encoders.transformer_encoder import TransformerEncoder
from tf_iclrec.errors import UserError
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.layers.item_provider_embedding import ItemProviderEmbedding
from tf_iclrec.layers.masks import valid_mask
from tf_iclrec.settings import Setting, checked


class ItemProviderEncoder(TransformerEncoder):
    """Base of the encoders that read providers beside items.

    The vector of an item, at the input and at the output, is its own embedding plus its
    provider's, plus those of its further attributes. With two streams the score of an item is the
    item side's state times the item's vector plus the provider side's state times its provider's:
    each side predicts its own next.

    A subclass builds its layers in `build_streams` and reads both embedded streams in
    `encode_streams`.

    Args:
        vocabulary_size: Number of item ids, the three special ones included.
        provider_vocabulary_size: Number of provider ids, likewise.
        max_length: Longest sequence.
        attribute_vocabulary_sizes: Number of ids of each further attribute of the items, the
            three special ones included. Defaults to none.
        value_learning_rate: How fast vectors of providers and attributes learn, in multiples of the
            items'. Defaults to 1.

        For the others see `TransformerEncoder`.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, 0 = padding on either side,
            and optionally ``provider_ids`` of the same shape; without them the items'
            providers are looked up.
    """

    num_streams = 2
    reads = ("items", "providers", "attributes")

    @checked
    def __init__(
        self,
        vocabulary_size: int,
        provider_vocabulary_size: int,
        *args,
        attribute_vocabulary_sizes: Sequence[int] = (),
        value_learning_rate: Annotated[
            float,
            Setting(
                "how fast vectors of providers and attributes learn, in multiples of the items'",
                above=0,
            ),
        ] = 1.0,
        **kwargs,
    ):
        super().__init__(vocabulary_size, *args, **kwargs)
        self.value_learning_rate = value_learning_rate
        self.provider_vocabulary_size = provider_vocabulary_size
        self.attribute_vocabulary_sizes = tuple(attribute_vocabulary_sizes)

    @classmethod
    def for_catalogue(cls, catalogue: Catalogue, **settings) -> "ItemProviderEncoder":
        if catalogue.providers is None or not len(catalogue.providers.vocabulary):
            raise UserError(
                "This model reads providers and the data has none. Give a table of items and "
                "providers with --items, or name the data's column with --provider-column."
            )
        attributes = catalogue.attributes.values()
        encoder = cls(
            catalogue.vocabulary_size,
            catalogue.providers.vocabulary.size,
            attribute_vocabulary_sizes=[one.vocabulary.size for one in attributes],
            **settings,
        )
        encoder.build()
        encoder._set_values_of_items(catalogue)
        return encoder

    def with_new_items(self, catalogue: Catalogue, means: MeansOfKindred) -> "ItemProviderEncoder":
        encoder = super().with_new_items(catalogue, means)
        # In place of means of ids.
        encoder._set_values_of_items(catalogue)
        return encoder

    @property
    def lacks_tables(self) -> bool:
        """See `ItemProviderEmbedding.lacks_tables`."""
        return self.embedding.lacks_tables

    def _set_values_of_items(self, catalogue: Catalogue) -> None:
        """Values that the encoder has no vectors of, which came with new items, are unknown."""

        def known(attribute: ItemAttribute, size: int) -> np.ndarray:
            return np.where(attribute.of_items < size, attribute.of_items, UNKNOWN_ID)

        self.set_item_providers(known(catalogue.providers, self.provider_vocabulary_size))
        self.set_item_attributes(
            [
                known(attribute, size)
                for attribute, size in zip(
                    catalogue.attributes.values(), self.attribute_vocabulary_sizes, strict=True
                )
            ]
        )

    def build(self, input_shape=None):
        self.embedding = ItemProviderEmbedding(
            self.vocabulary_size,
            self.provider_vocabulary_size,
            self.hidden_dim,
            self.initializer_stddev,
            self.attribute_vocabulary_sizes,
            self.value_learning_rate,
            dtype=self.dtype_policy,
        )
        self.embedding.build()
        self.build_streams()
        self.built = True

    def call(self, inputs: dict[str, KerasTensor], training: bool = False):
        items, providers = self.embedding(inputs)
        return self.encode_streams(items, providers, valid_mask(inputs["item_ids"]), training)

    def build_streams(self) -> None:
        """Build the layers after the embeddings."""
        raise NotImplementedError

    def encode_streams(
        self, items: KerasTensor, providers: KerasTensor, valid: KerasTensor, training: bool
    ) -> KerasTensor | tuple[KerasTensor, KerasTensor]:
        """Embedded streams ``(batch, time, hidden_dim)`` to hidden states."""
        raise NotImplementedError

    def join(self, items: KerasTensor, providers: KerasTensor) -> KerasTensor:
        """Vectors of items and of their providers ``(..., hidden_dim)`` to output vectors
        ``(..., output_dim)``: side by side, as the states of the two streams are."""
        return ops.concatenate([items, providers], axis=-1)

    @property
    def item_embedding(self) -> IdEmbedding:
        """The table of the items alone."""
        return self.embedding.item_embedding

    @property
    def value_embeddings(self) -> tuple[IdEmbedding, ...]:
        """The tables of the providers and of each further attribute."""
        return (self.embedding.provider_embedding, *self.embedding.attribute_embeddings)

    def set_item_providers(self, provider_ids: np.ndarray) -> None:
        """Set the internal provider id of each internal item id ``(vocabulary_size,)``."""
        self.embedding.set_item_providers(provider_ids)

    def set_item_attributes(self, attributes: Sequence[np.ndarray]) -> None:
        """Set the internal value id of each internal item id ``(vocabulary_size,)``, of each
        further attribute."""
        self.embedding.set_item_attributes(attributes)

    def item_vectors(self, item_ids: KerasTensor | None = None) -> KerasTensor:
        """Output vectors of items, tied to the input embeddings.

        Args:
            item_ids: Internal ids ``(...,)`` int32; without it, the whole catalogue.

        Returns:
            ``(..., output_dim)`` in the compute dtype for given ids, otherwise
            ``(vocabulary_size - 3, output_dim)`` float32, row ``i`` belonging to the internal
            id ``i + 3``.
        """
        return self.join(*self.embedding.output_vectors(item_ids))

    def get_config(self):
        return super().get_config() | {
            "provider_vocabulary_size": self.provider_vocabulary_size,
            "attribute_vocabulary_sizes": self.attribute_vocabulary_sizes,
            "value_learning_rate": self.value_learning_rate,
        }
