"""What a user's items are of, as one vector: intents that are known and need no clusters."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS
from tf_iclrec.layers.id_embedding import IdEmbedding
from tf_iclrec.layers.masks import masked_mean
from tf_iclrec.layers.unit_vectors import unit_vectors

_UNKNOWN = 0


@keras.saving.register_keras_serializable("tf_iclrec")
class AttributePrototypes(keras.layers.Layer):
    """The mean vector of the categories, or other attributes, of a user's items.

    ``c_u = mean_t v[category(s_t)]`` at length 1, with one trainable vector ``v`` per category
    (ICLRec, Appendix E, the model ICLRec-A). The mean is over the positions whose item has a known
    value; with several attributes, over the known values of all of them. Length 1 is that of the
    intents which these prototypes stand in for (Sec. 4.1.3, `IntentPrototypes`).

    Which value an item has is a weight that no gradient touches, so that a saved model holds it.

    Args:
        vocabulary_size: Number of item ids, the three special ones included.
        attribute_vocabulary_sizes: Number of ids of each attribute's values, likewise.
        dim: Width of the vectors.
        initializer_stddev: Standard deviation of the initial values. Defaults to 0.02.

    Call arguments:
        item_ids: ``(batch, time)`` int32, 0 = padding on either side.

    Returns:
        ``(batch, dim)`` float32 of length 1; zero for a user of whose items nothing is known.

    Example: items 3 and 4 have the same category, so do their users.
    >>> prototypes = AttributePrototypes(6, (5,), dim=2)
    >>> prototypes.build()
    >>> prototypes.set_attributes([[0, 1, 2, 4, 4, 3]])
    >>> first, second = prototypes(ops.array([[0, 3], [3, 4]]))
    >>> bool(ops.all(first == second)), round(float(ops.norm(first)), 4)
    (True, 1.0)
    """

    def __init__(
        self,
        vocabulary_size: int,
        attribute_vocabulary_sizes: Sequence[int],
        dim: int,
        initializer_stddev: float = 0.02,
        **kwargs,
    ):
        # As the intents: in float32, whatever the model computes in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.vocabulary_size = vocabulary_size
        self.attribute_vocabulary_sizes = tuple(attribute_vocabulary_sizes)
        self.dim = dim
        self.initializer_stddev = initializer_stddev

    def build(self, input_shape=None):
        # All attributes in one table, one after the other behind the row of what is not known.
        num_values = sum(size - NUM_SPECIAL_IDS for size in self.attribute_vocabulary_sizes)
        self.embedding = IdEmbedding(
            1 + num_values,
            self.dim,
            self.initializer_stddev,
            rows_of="attributes",
            dtype="float32",
            name="embedding",
        )
        self.embedding.build()
        self.values = self.add_weight(
            (self.vocabulary_size, len(self.attribute_vocabulary_sizes)),
            "zeros",
            dtype="int32",
            trainable=False,
            name="values",
        )

    @property
    def lacks_tables(self) -> bool:
        """Whether nobody has said which values items have: in a new layer, or in a copy."""
        return not ops.any(self.values)

    def set_attributes(self, attributes: Sequence[np.ndarray]) -> None:
        """Write which values items have.

        Args:
            attributes: Of each attribute the internal id of its value by internal item id,
                ``(vocabulary_size,)``; ids below 3 mean that it is unknown.
        """
        first, columns = 1 - NUM_SPECIAL_IDS, []
        for ids, size in zip(attributes, self.attribute_vocabulary_sizes, strict=True):
            ids = np.asarray(ids)
            columns.append(np.where(ids < NUM_SPECIAL_IDS, _UNKNOWN, ids + first))
            first += size - NUM_SPECIAL_IDS
        self.values.assign(np.stack(columns, axis=1))

    def call(self, item_ids: KerasTensor) -> KerasTensor:
        values = ops.take(ops.convert_to_tensor(self.values), item_ids, axis=0)
        values = ops.reshape(values, (ops.shape(item_ids)[0], -1))
        return unit_vectors(masked_mean(self.embedding(values), values != _UNKNOWN))

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "attribute_vocabulary_sizes": self.attribute_vocabulary_sizes,
            "dim": self.dim,
            "initializer_stddev": self.initializer_stddev,
        }
