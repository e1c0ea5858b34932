"""Losses and metrics per epoch, for TensorBoard."""

from pathlib import Path

import keras
import tensorflow as tf


class TensorBoardLog(keras.callbacks.Callback):
    """Write every figure of an epoch as a TensorBoard scalar.

    Needs only TensorFlow; Keras' own callback needs the tensorboard package, which TensorFlow
    no longer brings, to write as well as to read.

    Args:
        directory: Folder for the event files.
    """

    def __init__(self, directory: Path):
        super().__init__()
        self.directory = directory
        self._writer = None

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(str(self.directory))

    def on_epoch_end(self, epoch, logs=None):
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = "scalars"
        with self._writer.as_default():
            for name, value in logs.items():
                value = tf.cast(value, tf.float32)
                tf.summary.write(name, value, step=epoch + 1, metadata=metadata)
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()
