"""A loss that is not a number ends the training at once."""

import keras
import numpy as np

from tf_iclrec.errors import NonFiniteLossError


class StopOnNonFinite(keras.callbacks.Callback):
    """Raise as soon as the loss is NaN or infinite, naming the epoch and the term.

    The epoch is not complete then, so checkpoints keep the state before it.

    Raises:
        NonFiniteLossError: From ``model.fit``.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if np.isfinite(logs["loss"]):
            return
        broken = [name for name, value in logs.items() if not np.isfinite(value)]
        terms = ", ".join(name for name in broken if name != "loss") or "loss"
        kept = "the last complete epoch is kept" if self._epoch else "no epoch was complete"
        raise NonFiniteLossError(
            f"Epoch {self._epoch + 1}, step {batch + 1}: {terms} is not finite; {kept}. A smaller "
            "--learning-rate or term weight may help, with --overwrite or another --output."
        )
