"""A function of all batches of a dataset, as a graph that is traced once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Batch = dict[str, tf.Tensor]


def traced(compute: Callable[[Batch], Any], spec: dict[str, tf.TensorSpec]) -> Callable:
    """A function of batches as a graph, traced once, whatever their widths.

    Called by itself, a `tf.function` of each call's own would have TensorFlow warn of retracing.
    """
    return tf.function(lambda batch: compute(batch), autograph=False).get_concrete_function(spec)


def by_row(
    compute: Callable[[Batch], Sequence[tf.Tensor]], batches: tf.data.Dataset
) -> list[np.ndarray]:
    """What a function makes of all batches, in the order of their rows.

    Args:
        compute: From a batch to several tensors ``(batch, ...)``.
        batches: Dicts with ``rows`` ``(batch,)``, no number twice.

    Returns:
        An array ``(rows, ...)`` for each tensor.

    Example:
    >>> batches = tf.data.Dataset.from_tensor_slices({"rows": [8, 3], "x": [5, 7]}).batch(1)
    >>> [doubled] = by_row(lambda batch: [batch["x"] * 2], batches)
    >>> doubled.tolist()
    [14, 10]
    """
    answer = traced(lambda batch: (batch["rows"], *compute(batch)), batches.element_spec)
    parts = zip(*([part.numpy() for part in answer(batch)] for batch in batches), strict=True)
    rows, *found = map(np.concatenate, parts)
    order = np.argsort(rows)
    return [part[order] for part in found]
