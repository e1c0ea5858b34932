"""Which rows of each batch a replica takes, where several train one model."""

import dataclasses

import numpy as np
import tensorflow as tf

# What a batch has once, not for each of its rows.
_OF_THE_BATCH = ("sampled_ids", "sampled_log_probabilities")


@dataclasses.dataclass(frozen=True)
class Share:
    """The replicas of this process among all that train one model together.

    The replicas take turns row by row, so that all get sequences of the same lengths. What is drawn
    is drawn for the whole batch: all replicas' rows together are the batch of a single process, to
    the last bit, in another order.

    Attributes:
        first: Number of the first replica of this process, from 0.
        local: Replicas of this process.
        all: Replicas in all.
    """

    first: int = 0
    local: int = 1
    all: int = 1

    def needs(self, rows: int) -> np.ndarray:
        """Which of the rows of a batch this process has to read, ``(rows,)`` bool.

        Example: the second of three replicas.
        >>> Share(first=1, all=3).needs(5).tolist()
        [False, True, False, False, True]
        """
        turns = np.arange(rows) % self.all
        return (turns >= self.first) & (turns < self.first + self.local)

    def of(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """The rows of each replica of this process, one replica's after the other's.

        Args:
            batches: Dicts of tensors with a row per user, and what a batch has once; a number of
                batches that is known.

        Returns:
            So many times the batches as there are replicas in this process; where a batch is
            smaller than their number, some of them have no rows.

        Example: four rows, for a process that has all of two replicas.
        >>> batches = tf.data.Dataset.from_tensors({"rows": [5, 6, 7, 8]})
        >>> parts = Share(local=2, all=2).of(batches)
        >>> [part["rows"].tolist() for part in parts.as_numpy_iterator()]
        [[5, 7], [6, 8]]
        """
        if self.all == 1:
            return batches

        def parts(batch: dict[str, tf.Tensor]) -> tf.data.Dataset:
            return tf.data.Dataset.range(self.first, self.first + self.local).map(
                lambda turn: {
                    name: value if name in _OF_THE_BATCH else value[turn :: self.all]
                    for name, value in batch.items()
                }
            )

        number = batches.cardinality() * self.local
        return batches.flat_map(parts).apply(tf.data.experimental.assert_cardinality(number))


# That of the only replica.
WHOLE = Share()
