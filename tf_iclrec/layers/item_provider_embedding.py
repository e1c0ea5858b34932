"""Vectors of items and of the providers that they come from."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.id_embedding import IdEmbedding, without_special_ids


@keras.saving.register_keras_serializable("tf_iclrec")
class ItemProviderEmbedding(keras.layers.Layer):
    """Item and provider embeddings, and the table of each item's provider.

    The vector of an item is its own plus its provider's, plus those of what else is known of
    it, so that rare items begin with what is known of their provider and, say, category.

    The tables are weights that no gradient touches, so that they are saved with the model: who
    sends items only still gets their providers.

    Args:
        vocabulary_size: Number of item ids, the three special ones included.
        provider_vocabulary_size: Number of provider ids, likewise.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.
        attribute_vocabulary_sizes: Number of ids of each further attribute, likewise. Defaults
            to none.
        value_scale: Scale of the tables of providers and attributes, see `IdEmbedding`. Defaults
            to 1.

    Call arguments:
        inputs: Dict with ``item_ids`` ``(batch, time)`` int32, and optionally
            ``provider_ids`` of the same shape, where they may differ from the items' own.

    Returns:
        Vectors of the items and of the providers, each ``(batch, time, dim)``.

    Example:
    >>> embedding = ItemProviderEmbedding(6, 5, dim=8)
    >>> embedding.build()
    >>> embedding.set_item_providers([0, 1, 2, 4, 4, 3])
    >>> items, providers = embedding({"item_ids": ops.array([[0, 3, 4]])})
    >>> items.shape, bool(ops.all(providers[0, 1] == providers[0, 2]))
    (TensorShape([1, 3, 8]), True)
    """

    def __init__(
        self,
        vocabulary_size: int,
        provider_vocabulary_size: int,
        dim: int,
        initializer_stddev: float = 0.02,
        attribute_vocabulary_sizes: Sequence[int] = (),
        value_scale: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.provider_vocabulary_size = provider_vocabulary_size
        self.dim = dim
        self.initializer_stddev = initializer_stddev
        self.attribute_vocabulary_sizes = tuple(attribute_vocabulary_sizes)
        self.value_scale = value_scale

    def build(self, input_shape=None):
        def embedding(size, name, rows_of, scale=self.value_scale):
            stddev, policy = self.initializer_stddev, self.dtype_policy
            layer = IdEmbedding(size, self.dim, stddev, scale, rows_of, dtype=policy, name=name)
            layer.build()
            return layer

        self.item_embedding = embedding(self.vocabulary_size, "item_embedding", "items", scale=1.0)
        self.provider_embedding = embedding(
            self.provider_vocabulary_size, "provider_embedding", "providers"
        )
        self.attribute_embeddings = [
            embedding(size, f"attribute_embedding_{number}", number)
            for number, size in enumerate(self.attribute_vocabulary_sizes)
        ]
        self.item_providers = self._table("item_providers")
        self.item_attributes = [
            self._table(f"item_attribute_{number}")
            for number in range(len(self.attribute_embeddings))
        ]

    def _table(self, name: str) -> keras.Variable:
        shape = (self.vocabulary_size,)
        return self.add_weight(shape, "zeros", dtype="int32", trainable=False, name=name)

    @property
    def lacks_tables(self) -> bool:
        """Whether nobody has said which providers items have: in a new layer, or in a copy."""
        return not ops.any(self.item_providers)

    def set_item_providers(self, provider_ids: np.ndarray) -> None:
        """Write the table: the internal provider id of each internal item id
        ``(vocabulary_size,)``."""
        self.item_providers.assign(provider_ids)

    def set_item_attributes(self, attributes: Sequence[np.ndarray]) -> None:
        """Write the tables of the further attributes: of each, the internal id of its value by
        internal item id ``(vocabulary_size,)``."""
        for table, ids in zip(self.item_attributes, attributes, strict=True):
            table.assign(ids)

    def call(self, inputs: dict[str, KerasTensor]) -> tuple[KerasTensor, KerasTensor]:
        item_ids = inputs["item_ids"]
        provider_ids = inputs.get("provider_ids")
        if provider_ids is None:
            provider_ids = _values(self.item_providers, item_ids)
        providers = self.provider_embedding(provider_ids)
        items = self.item_embedding(item_ids) + providers
        for table, embedding in zip(self.item_attributes, self.attribute_embeddings, strict=True):
            items += embedding(_values(table, item_ids))
        return items, providers

    def output_vectors(
        self, item_ids: KerasTensor | None = None
    ) -> tuple[KerasTensor, KerasTensor]:
        """Vectors of items and of their providers, for the output side.

        Args:
            item_ids: Internal ids ``(...,)`` int32; without it, the whole catalogue.

        Returns:
            Two tensors ``(..., dim)`` in the compute dtype for given ids, otherwise
            ``(vocabulary_size - 3, dim)`` float32, row ``i`` belonging to the internal id
            ``i + 3``.
        """
        if item_ids is not None:
            return self({"item_ids": item_ids})
        providers = _of_all_items(self.item_providers, self.provider_embedding)
        items = without_special_ids(self.item_embedding.embeddings) + providers
        for table, embedding in zip(self.item_attributes, self.attribute_embeddings, strict=True):
            items += _of_all_items(table, embedding)
        return items, providers

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "provider_vocabulary_size": self.provider_vocabulary_size,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
            "attribute_vocabulary_sizes": self.attribute_vocabulary_sizes,
            "value_scale": self.value_scale,
        }


def _values(table: keras.Variable, item_ids: KerasTensor) -> KerasTensor:
    return ops.take(ops.convert_to_tensor(table), item_ids, axis=0)


def _of_all_items(table: keras.Variable, embedding: IdEmbedding) -> KerasTensor:
    """Float32 vectors of the catalogue's values of an attribute, ``(items, dim)``."""
    ids = ops.convert_to_tensor(table)[NUM_SPECIAL_IDS:]
    return embedding.vectors(ids)
