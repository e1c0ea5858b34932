"""Passes over rows of a log, each in batches of its own, as an endless supply of epochs."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_iclrec.data.share import WHOLE, Share

# Lengths are compared after multiplying each with a random factor of up to 1 + this, so that
# the neighbours in a batch change from epoch to epoch.
_LENGTH_JITTER = 0.25
_PREFETCHED = 4


def epochs_of_batches(
    lengths: np.ndarray,
    batch_size: int,
    assemble: Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]],
    seed: int,
    first_epoch: int,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """A dataset of which each pass is another epoch, in random batches of similar length.

    Args:
        lengths: ``(rows,)`` of the sequences.
        batch_size: Rows in a batch.
        assemble: From the rows of a batch and a seed of its own to the batch.
        seed: What all seeds follow from, with the number of the epoch.
        first_epoch: Number of the first pass.
        share: Which rows of each batch are wanted; those of each replica are a batch then.
    """
    num_steps = -(-len(lengths) // batch_size)
    lengths = tf.constant(lengths, tf.int32)
    epoch = tf.Variable(first_epoch, dtype=tf.int64, trainable=False)

    def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
        this_epoch = epoch.assign_add(1) - 1
        seeds = tf.random.split(tf.stack([tf.constant(seed, tf.int64), this_epoch]), 4)
        step_seeds = tf.data.Dataset.range(num_steps).map(
            lambda step: tf.random.fold_in(seeds[3], step)
        )
        return tf.data.Dataset.zip(_similar_lengths(lengths, batch_size, seeds), step_seeds)

    # The counter makes each pass another epoch; one pass is one finite dataset, as Keras
    # expects it.
    batches = tf.data.Dataset.range(1).flat_map(one_epoch).map(assemble)
    batches = batches.apply(tf.data.experimental.assert_cardinality(num_steps))
    return prefetched(share.of(batches))


def _similar_lengths(lengths: tf.Tensor, batch_size: int, seeds: tf.Tensor) -> tf.data.Dataset:
    """The rows of each batch."""
    rows = tf.shape(lengths)[0]
    shuffled = tf.random.experimental.stateless_shuffle(tf.range(rows), seeds[0])
    jitter = tf.random.stateless_uniform([rows], seeds[1], 1.0, 1.0 + _LENGTH_JITTER)
    length = tf.cast(tf.gather(lengths, shuffled), tf.float32) * jitter
    shuffled = tf.gather(shuffled, tf.argsort(length, stable=True))
    first_rows = tf.range(0, rows, batch_size)
    first_rows = tf.random.experimental.stateless_shuffle(first_rows, seeds[2])
    return tf.data.Dataset.from_tensor_slices(first_rows).map(
        lambda first: shuffled[first : first + batch_size]
    )


def prefetched(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Prepared while the model is busy with the batches before.

    A batch takes a fiftieth of the time of its step, so there is nothing to tune; and at the end of
    a pass TensorFlow would wait for the tuning thread, which sleeps twice as long each time.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(_PREFETCHED).with_options(options)
