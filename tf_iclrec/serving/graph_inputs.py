"""What requests to a SavedModel consist of, and how they are checked inside the graph."""

from collections.abc import Callable, Iterable

import tensorflow as tf


def strings(name: str, rank: int = 2) -> tf.TensorSpec:
    """An input of strings of any shape of that rank."""
    return tf.TensorSpec([None] * rank, tf.string, name)


def takes(*specs: tf.TensorSpec) -> Callable[[Callable], Callable]:
    """Marks a method with what it takes. It becomes a graph when it is asked for: of a
    `tf.function` that is there, all would be traced, also those that a model can't answer."""

    def mark(method: Callable) -> Callable:
        method.input_signature = specs
        return method

    return mark


def lookup_table(keys: tf.Tensor, values: tf.Tensor, default: int) -> tf.lookup.StaticHashTable:
    """From strings ``(n,)`` to int32 ``(n,)``; others get ``default``."""
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(keys, values), default_value=default
    )


def as_bytes(texts: Iterable[object]) -> tf.Tensor:
    """Texts as a tensor of strings ``(n,)``; there may be none."""
    return tf.constant([str(text).encode() for text in texts], tf.string)


def required(value: tf.Tensor, condition: tf.Tensor, message: list) -> tf.Tensor:
    """``value``, or an error that is raised before anything is computed from it."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
        return tf.identity(value)


def lists_like(history: tf.Tensor, lists: tf.Tensor, name: str) -> tf.Tensor:
    """Lists ``(batch, any)`` of which there must be one for each history."""
    lists = tf.ensure_shape(lists, [None, None], name=f"{name}_is_batch_by_length")
    rows, histories = tf.shape(lists)[0], tf.shape(history)[0]
    message = [f"{name} must have one row for each history. Rows and histories:", rows, histories]
    return required(lists, rows == histories, message)
