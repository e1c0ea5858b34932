"""Trainings that are interrupted at a chosen step."""

import contextlib
from unittest import mock

import keras


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C at the second step of an epoch, counted from 0."""

    def __init__(self, epoch: int):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at and batch == 1:
            raise KeyboardInterrupt


@contextlib.contextmanager
def interrupted(epoch: int, training: int = 0):
    """Interrupt an epoch of the training of this number, both counted from 0."""
    fit, calls = keras.Model.fit, []

    def interrupted_fit(self, *args, callbacks, **kwargs):
        calls.append(self)
        further = [Interrupt(epoch)] if len(calls) == training + 1 else []
        return fit(self, *args, callbacks=[*callbacks, *further], **kwargs)

    with mock.patch.object(keras.Model, "fit", interrupted_fit):
        yield
