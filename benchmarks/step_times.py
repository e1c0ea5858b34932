"""What the benchmarks of training steps share."""

import itertools
import time

import keras


class StepTimes(keras.callbacks.Callback):
    """When each step ended."""

    def __init__(self):
        super().__init__()
        self._ends = []

    def on_train_batch_end(self, step, logs=None):
        self._ends.append(time.perf_counter())

    def of_last(self, steps: int) -> list[float]:
        """Seconds of each of the last steps: those before compile."""
        ends = self._ends[-steps - 1 :]
        return [after - before for before, after in itertools.pairwise(ends)]
