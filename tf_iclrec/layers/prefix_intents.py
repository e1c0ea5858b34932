"""What follows the prefixes of an intent, kept inside the model."""

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.layers.intent_prototypes import IntentPrototypes


@keras.saving.register_keras_serializable("tf_iclrec")
class PrefixIntents(keras.layers.Layer):
    """Intents of prefixes, with next items of the prefixes of each.

    A prefix is a sequence up to one of its items; its vector is the hidden state there. Prefixes
    have intents of their own as in ICSRec (Qin et al., WSDM 2024), because a user's intent changes
    along a sequence. All are weights that no gradient touches: the E-step writes them.

    Args:
        num_intents: ``K``.
        dim: Width of the vectors.
        num_next_items: How many next items are kept of each intent. Defaults to 64.

    Call arguments:
        vectors: ``(prefixes, dim)``.
        count: How many next items to draw.

    Returns:
        ``(prefixes, count)`` int32, items that followed other prefixes of the same intent, drawn
        with replacement; all 0 before the first E-step.

    Example:
    >>> intents = PrefixIntents(2, dim=2, num_next_items=1)
    >>> intents.update(np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[7], [9]]))
    >>> intents(ops.array([[0.1, 1.0]]), count=2).numpy().tolist()
    [[9, 9]]
    """

    def __init__(self, num_intents: int, dim: int, num_next_items: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.num_intents = num_intents
        self.dim = dim
        self.num_next_items = num_next_items
        self.prototypes = IntentPrototypes((num_intents,), dim)
        self.next_items = self.add_weight(
            name="next_items",
            shape=(num_intents, num_next_items),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, vectors: KerasTensor, count: int) -> KerasTensor:
        [(ids, _)] = self.prototypes(vectors)
        shape = (ops.shape(vectors)[0], count)
        columns = keras.random.randint(shape, 0, self.num_next_items, seed=self.seed_generator)
        return ops.take_along_axis(ops.take(self.next_items, ids, axis=0), columns, axis=1)

    def update(self, centroids: np.ndarray, next_items: np.ndarray) -> None:
        """Replace all; of fewer than ``K`` intents the first ones are there more than once.

        Args:
            centroids: ``(k, dim)``, of at most ``K`` intents.
            next_items: ``(k, num_next_items)`` item ids.
        """
        self.prototypes.update([np.resize(centroids, (self.num_intents, self.dim))])
        self.next_items.assign(np.resize(next_items, self.next_items.shape))

    def get_config(self):
        return super().get_config() | {
            "num_intents": self.num_intents,
            "dim": self.dim,
            "num_next_items": self.num_next_items,
        }
