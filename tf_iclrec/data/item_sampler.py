"""Items drawn as negatives, all with known probabilities."""

import dataclasses
from typing import Literal, get_args

import numpy as np
import tensorflow as tf

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

HowSampled = Literal["uniform", "popularity", "in_batch"]


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How items are sampled for a training batch.

    Attributes:
        kind: ``"uniform"``, ``"popularity"``, by interactions in the training data, or
            ``"in_batch"``, which takes the targets of the batch.
        num_samples: Items drawn for a batch; ``"in_batch"`` has as many as there are positions.

    Raises:
        ValueError: If there is no such kind.

    Example:
    >>> from tf_iclrec import Interactions, leave_one_out, training_batches
    >>> split = leave_one_out(Interactions.from_sequences({"ann": "abcd"}))
    >>> [batch] = training_batches(split, sampling=Sampling("popularity", num_samples=3))
    >>> batch["sampled_ids"].shape, batch["sampled_log_probabilities"].shape
    (TensorShape([3]), TensorShape([3]))
    """

    kind: HowSampled
    num_samples: int

    def __post_init__(self):
        if self.kind not in get_args(HowSampled):
            raise ValueError(f"Items are not sampled by {self.kind!r}.")


class ItemSampler:
    """Draws internal item ids with replacement, from a fixed distribution.

    Args:
        weights: ``(items,)`` how often each item is drawn, in relation to the others.

    Example: the first item is drawn three times of four.
    >>> sampler = ItemSampler(np.array([3, 1]))
    >>> ids = sampler.draw(1000, tf.constant([0, 1]))
    >>> 700 < int(tf.math.count_nonzero(ids == 3)) < 800
    True
    >>> [round(float(value), 4) for value in sampler.log_probabilities(tf.constant([3, 4]))]
    [-0.2877, -1.3863]
    """

    def __init__(self, weights: np.ndarray):
        weights = np.asarray(weights, dtype=np.float64)
        probabilities = weights / weights.sum()
        self._cumulative = tf.constant(np.cumsum(probabilities))
        with np.errstate(divide="ignore"):
            logarithms = np.log(probabilities).astype(np.float32)
        self._log_probabilities = tf.constant(logarithms)

    @classmethod
    def for_training(cls, split: Split, kind: str, targets: Histories) -> "ItemSampler":
        """All items alike (``"uniform"``), by their number of interactions in the training data
        (``"popularity"``; an item that has none counts as if it had one), or by how often they are
        ``targets`` of an epoch (``"in_batch"``)."""
        num_items = split.interactions.num_items
        if kind == "uniform":
            return cls(np.ones(num_items))
        if kind == "popularity":
            return cls(np.maximum(split.training_counts, 1))
        columns = targets.joined().item_ids - NUM_SPECIAL_IDS
        return cls(np.bincount(columns, minlength=num_items))

    def draw(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """``(count,)`` int32 internal ids, all from ``seed`` ``(2,)``."""
        places = tf.random.stateless_uniform([count], seed, dtype=tf.float64)
        rows = tf.searchsorted(self._cumulative, places, side="right", out_type=tf.int32)
        # Rounding may leave the last sum a little below 1.
        last = tf.shape(self._cumulative)[0] - 1
        return tf.minimum(rows, last) + NUM_SPECIAL_IDS

    def log_probabilities(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Of internal ids of any shape, float32."""
        return tf.gather(self._log_probabilities, item_ids - NUM_SPECIAL_IDS)
