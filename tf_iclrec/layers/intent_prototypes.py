"""The intents of the last E-step, kept inside the model."""

from collections.abc import Sequence
from typing import Annotated

import keras
import numpy as np
from keras import KerasTensor, ops

from tf_iclrec.layers.unit_vectors import unit_vectors
from tf_iclrec.settings import Setting, checked


@keras.saving.register_keras_serializable("tf_iclrec")
class IntentPrototypes(keras.layers.Layer):
    """Centroids of user vectors for one or several numbers of intents ``K``.

    They are weights that no gradient touches: the E-step writes them (`update`), a saved
    model holds them. A vector belongs to the intent with the nearest centroid (ICLRec
    Eq. 12); what the loss sees of an intent is its centroid at length 1 (Sec. 4.1.3).

    Args:
        num_intents: The numbers ``K``, for instance ``(64, 256)``. Defaults to ``(256,)``.
        dim: Width of the vectors. Defaults to 64.

    Call arguments:
        vectors: ``(batch, dim)``.

    Returns:
        A list with one pair per ``K``: intent ids ``(batch,)`` int32 and unit-length
        prototypes ``(batch, dim)``.

    Example:
    >>> intents = IntentPrototypes((2,), dim=2)
    >>> intents.update([np.array([[2.0, 0.0], [0.0, 3.0]])])
    >>> [(ids, prototypes)] = intents(ops.array([[0.1, 1.0]]))
    >>> int(ids[0]), ops.convert_to_numpy(prototypes).tolist()
    (1, [[0.0, 1.0]])
    """

    @checked
    def __init__(
        self,
        num_intents: Annotated[
            tuple[int, ...],
            Setting(
                "number of intents K, or several; auto: as the data have", at_least=1, auto=True
            ),
        ] = (256,),
        dim: int = 64,
        **kwargs,
    ):
        # Cluster centres are compared in float32, whatever the model computes in; a GPU multiplies
        # that in TF32.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_intents = tuple(num_intents)
        self.dim = dim
        self.centroids = [self._add_state(f"centroids_{k}", (k, dim)) for k in self.num_intents]
        self.fitted = self._add_state("fitted", ())
        self.built = True

    def call(self, vectors: KerasTensor) -> list[tuple[KerasTensor, KerasTensor]]:
        return [self._assign(vectors, centroids) for centroids in self.centroids]

    def affinities(self, vectors: KerasTensor) -> list[KerasTensor]:
        """How close a vector is to each intent: one ``(batch, K)`` float32 per ``K``.

        The soft assignment of DEC (Xie et al., ICML 2016, Eq. 1): ``1 / (1 + distance²)``, in
        relation to the sum over all intents. The largest is the intent of the vector.
        """
        closeness = [1.0 / (1.0 + self._distances(vectors, c)) for c in self.centroids]
        return [values / ops.sum(values, axis=1, keepdims=True) for values in closeness]

    def update(self, centroids: Sequence[np.ndarray]) -> None:
        """Replace the centroids, one ``(K, dim)`` array per ``K``."""
        if len(centroids) != len(self.centroids):
            raise ValueError(f"{len(self.centroids)} arrays expected, not {len(centroids)}.")
        for weight, value in zip(self.centroids, centroids, strict=True):
            weight.assign(value)
        self.fitted.assign(1.0)

    def _add_state(self, name, shape):
        # Untrainable one by one: thawing a frozen model must not thaw these.
        return self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)

    def _assign(self, vectors, centroids):
        ids = ops.argmin(self._distances(vectors, centroids), axis=1)
        return ids, unit_vectors(ops.take(centroids, ids, axis=0))

    def _distances(self, vectors, centroids):
        """Squared distances ``(batch, K)``."""
        centroids = ops.convert_to_tensor(centroids)
        squared_norms = ops.sum(centroids * centroids, axis=1)[None]
        squared_norms += ops.sum(vectors * vectors, axis=1, keepdims=True)
        products = ops.matmul(vectors, ops.transpose(centroids))
        return ops.maximum(squared_norms - 2.0 * products, 0.0)

    def get_config(self):
        return super().get_config() | {"num_intents": self.num_intents, "dim": self.dim}
