"""Gradients of tables from which rows are looked up, made ready for any optimizer."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_iclrec.objectives.objective import num_replicas

# A gradient of up to so many rows is made dense: Adam and its like read whole tables in any case,
# and adding up into a table is faster than finding out which rows repeat. Beyond, optimizers
# that do go by rows, such as SGD, would lose more than is won.
MAX_DENSE_ROWS = 100_000

Gradient = tf.Tensor | tf.IndexedSlices | None


def add_repeated_rows(
    gradients: Sequence[Gradient],
    variables: Sequence[keras.Variable | tf.Variable],
    optimizer: keras.optimizers.Optimizer,
) -> list[Gradient]:
    """Add up what the gradient of a table has for the same row, before an optimizer sees it.

    The gradient of a look-up is a `tf.IndexedSlices` with a slice per look-up, so an item that
    occurs ten times in a batch has ten slices. The gradient is their sum. The optimizers of Keras
    3.15 square (Adam, RMSprop, Adagrad, ...), take the absolute value of (Adamax) or clip each
    slice on its own (``keras/src/backend/tensorflow/sparse.py``) and add up afterwards: Adam
    (Kingma and Ba 2015, Algorithm 1) then divides by the root of a sum of squares in place of the
    square of a sum, and a row with ``n`` slices that agree moves up to ``sqrt(n)`` times too far.

    An optimizer with a true attribute ``steps_by_row``, such as `LazyAdam`, reads and writes only
    the rows that a gradient has, and adds up by itself. Its gradients stay sparse, and stay as
    they are unless something before its step looks at them: clipping or the scaling of losses.

    Args:
        gradients: A gradient per variable: a tensor of the variable's shape; a
            `tf.IndexedSlices` with values ``(slices, *variable.shape[1:])`` and indices
            ``(slices,)``; or None.
        variables: What they are the gradients of.
        optimizer: What will apply them.

    Where replicas train together, their gradients are added up later, and slices of one row would
    be side by side again: gradients for other optimizers are dense then, however many rows there
    are.

    Returns:
        The gradients in the same order. One that was an `tf.IndexedSlices` is now a tensor of the
        variable's shape; above ``MAX_DENSE_ROWS`` rows, or for an optimizer that steps by row, an
        `tf.IndexedSlices` with every row at most once.

    Example: row 1 occurs twice, with 3 and 4.
    >>> table = keras.Variable([[0.0], [0.0], [0.0]])
    >>> gradient = tf.IndexedSlices(tf.constant([[3.0], [4.0]]), tf.constant([1, 1]))
    >>> (added,) = add_repeated_rows([gradient], [table], keras.optimizers.Adam())
    >>> added.numpy().tolist()
    [[0.0], [7.0], [0.0]]
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    by_row = getattr(inner, "steps_by_row", False)
    # Keras can't divide slices.
    dense = optimizer.loss_scale_factor is not None
    if by_row and inner is optimizer and not _clips(optimizer) and not dense:
        return list(gradients)

    def added(gradient: Gradient, variable: keras.Variable | tf.Variable) -> Gradient:
        if not isinstance(gradient, tf.IndexedSlices):
            return gradient
        rows = variable.shape[0]
        if not dense and (by_row or (rows > MAX_DENSE_ROWS and num_replicas() == 1)):
            return each_row_once(gradient)
        return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)

    return [added(*pair) for pair in zip(gradients, variables, strict=True)]


def each_row_once(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """The same gradient with each of its rows once, in the order in which they come first.

    Args:
        gradient: Values ``(slices, ...)`` and indices ``(slices,)``.

    Returns:
        Values ``(rows, ...)``, the sums, and indices ``(rows,)``; ``rows <= slices``.

    Example:
    >>> twice = tf.IndexedSlices(tf.constant([3.0, 5.0, 4.0]), tf.constant([7, 2, 7]))
    >>> once = each_row_once(twice)
    >>> once.indices.numpy().tolist(), once.values.numpy().tolist()
    ([7, 2], [7.0, 5.0])
    """
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _clips(optimizer: keras.optimizers.Optimizer) -> bool:
    limits = optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue
    return any(limit is not None for limit in limits)
