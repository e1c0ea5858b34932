"""Which intent users have, and how close they are to all of them."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tf_iclrec.data.batches import history_batches, sampled_rows
from tf_iclrec.data.by_row import traced
from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.split import Split
from tf_iclrec.models.recommender import Recommender


@dataclasses.dataclass(frozen=True)
class Assignment:
    """The intents of some histories, as the model finds them.

    The intent of a history is the centroid nearest to the mean of its hidden states (ICLRec Eq.
    12), among the model's first number of intents ``K``.

    Attributes:
        users: ``(n,)`` int64 rows of the users in the log.
        histories: ``n`` parts of their sequences.
        intents: ``(n,)`` int32.
        affinities: ``(n, K)`` float32, each row with the sum 1; see
            `IntentPrototypes.affinities`.
        distances: ``(n,)`` float32 to the centroid of the intent.
    """

    users: np.ndarray
    histories: Histories
    intents: np.ndarray
    affinities: np.ndarray
    distances: np.ndarray

    @classmethod
    def of_users(cls, model: Recommender, split: Split, most: int | None = None) -> "Assignment":
        """The intents of all users of whom something is in the training part, by all of it.

        Args:
            model: With intents.
            split: What it was trained on.
            most: Of more users, so many are drawn, always the same ones.
        """
        users = np.flatnonzero(split.train.lengths)
        users = users[sampled_rows(len(users), most)]
        return cls.of(model, split, users, split.train.rows(users))

    @classmethod
    def of(
        cls, model: Recommender, split: Split, users: np.ndarray, histories: Histories
    ) -> "Assignment":
        """The intents of any parts ``(n,)`` of the sequences of users ``(n,)``."""
        [centroids, *_] = model.intents.centroids

        def assign(vectors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            intents, _ = model.intents(vectors)[0]
            distances = tf.norm(vectors - tf.gather(centroids.value, intents), axis=1)
            return tf.cast(intents, tf.int32), model.intents.affinities(vectors)[0], distances

        found = encoded(model, split, users, histories, assign)
        return cls(users, histories, *found)

    @property
    def num_intents(self) -> int:
        return self.affinities.shape[1]

    @property
    def sizes(self) -> np.ndarray:
        """``(K,)`` number of users of each intent."""
        return np.bincount(self.intents, minlength=self.num_intents)


@functools.lru_cache(maxsize=1)
def _encoder(model: Recommender, spec: tuple[tuple[str, tf.TensorSpec], ...]):
    """From a batch to mean hidden states: traced once, which takes longer than a thousand users,
    however often it is asked for."""
    return traced(model.mean_vectors, dict(spec))


def encoded(
    model: Recommender,
    split: Split,
    users: np.ndarray,
    histories: Histories,
    then: Callable[[tf.Tensor], Sequence[tf.Tensor]] = lambda vectors: (vectors,),
) -> list[np.ndarray]:
    """What a function makes of the mean hidden states of histories, in the order of these.

    Args:
        model: A `SequentialRecommender`.
        split: What it was trained on.
        users: ``(n,)`` rows of the users in the log.
        histories: ``n`` parts of their sequences.
        then: From vectors ``(batch, dim)`` float32 to several tensors ``(batch, ...)``. Defaults
            to the vectors themselves.

    Returns:
        An array ``(n, ...)`` for each tensor.
    """
    batches = history_batches(split, users, histories, model.max_length)
    encode = _encoder(model, tuple(batches.element_spec.items()))
    results: list[np.ndarray] = []
    for batch in batches:
        parts = [part.numpy() for part in then(encode(batch))]
        if not results:
            results = [np.empty((len(users), *part.shape[1:]), part.dtype) for part in parts]
        for result, part in zip(results, parts, strict=True):
            result[batch["rows"].numpy()] = part
    return results
