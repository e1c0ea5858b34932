"""What a person sees of a training: one line an epoch, and a file with all the rest."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import keras

from tf_iclrec.training.intent_clustering import ClusteringReport, IntentClustering
from tf_iclrec.training.save_progress import MONITOR, SaveProgress

_REFRESH = 0.2  # Seconds between two states of a line.


class ProgressLines(keras.callbacks.Callback):
    """One line an epoch: losses, validation, what the E-step did, the best so far, time left.

    In a terminal the line follows the steps of the epoch. Elsewhere it is written when the epoch
    is over. Every figure goes to a file.

    Args:
        epochs: Number of the last epoch.
        log: File to which a paragraph per epoch is added.
        clustering: The E-step, if there is one.
        saved: Knows the best epoch; comes before this among the callbacks.
        name: What an epoch is called.
    """

    def __init__(
        self,
        epochs: int,
        log: Path,
        clustering: IntentClustering | None = None,
        saved: SaveProgress | None = None,
        name: str = "Epoch",
    ):
        super().__init__()
        self.epochs = epochs
        self.log = log
        self.clustering = clustering
        self.saved = saved
        self.name = name
        self._first_epoch = 0
        self._start = self._epoch_start = self._shown = 0.0
        self._label = ""
        self._trained: list[str] = []  # The figures of a step: the loss and its terms.

    def on_train_begin(self, logs=None):
        self._start = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        if not self._label:
            self._first_epoch = epoch
        self._epoch_start = time.perf_counter()
        self._label = f"{self.name} {epoch + 1:>{len(str(self.epochs))}} of {self.epochs}"

    def on_train_batch_end(self, batch, logs=None):
        now, self._trained = time.perf_counter(), list(logs)
        if not sys.stdout.isatty() or now - self._shown < _REFRESH:
            return
        self._shown, steps = now, self.params["steps"]
        place = f"step {batch + 1}"
        if steps:
            left = (now - self._epoch_start) * (steps / (batch + 1) - 1)
            place += f" of {steps}, {clock(left)} left"
        self._show(f"{self._label}: {place}; {losses(logs)}")

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        trained = {name: logs[name] for name in self._trained}
        parts = [losses(trained), self._validation(logs)]
        reports = self.clustering.reports if self.clustering else []
        parts.append(found(reports))
        done, seconds = epoch + 1 - self._first_epoch, now - self._epoch_start
        left = (now - self._start) / done * (self.epochs - epoch - 1)
        parts.append(f"{seconds:.1f} s" + (f", {clock(left)} left" if left else ""))
        line = f"{self._label}: {'; '.join(filter(None, parts))}"
        if sys.stdout.isatty():
            self._show("")
        print(line, flush=True)
        details = [f"{name}: {float(value):.6g}" for name, value in logs.items()]
        with self.log.open("a") as file:
            file.write("\n  ".join([line, ", ".join(details), *map(str, reports)]) + "\n")

    def _validation(self, logs) -> str:
        score = logs.get(MONITOR)
        if score is None or self.saved is None:
            return ""
        if self.saved.best_epoch == self.saved.epochs_done:
            best = "the best so far"
        else:
            best = f"best {self.saved.best_score:.4f} in epoch {self.saved.best_epoch}"
        return f"validation {MONITOR.removeprefix('val_')} {score:.4f}, {best}"

    def _show(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        # To the start of the line, and what was there is gone.
        print(f"\r\x1b[K{line[:width]}", end="", flush=True)


def losses(figures: dict[str, float]) -> str:
    """The loss, and the terms it is made of.

    Example:
    >>> losses({"loss": 7.25, "next_item": 7.0, "intent_contrast": 2.5})
    'loss 7.250 (next_item 7.000, intent_contrast 2.500)'
    >>> losses({"loss": 7.25, "next_item": 7.25})
    'loss 7.250'
    """
    terms = {name: value for name, value in figures.items() if name != "loss"}
    shown = f"loss {figures['loss']:#.4g}"
    if len(terms) > 1:
        shown += f" ({', '.join(f'{name} {value:#.4g}' for name, value in terms.items())})"
    return shown


def found(reports: list[ClusteringReport]) -> str:
    """What an E-step did, in a few words.

    Example:
    >>> import numpy as np
    >>> found([ClusteringReport(3, 1.5, np.array([4, 1, 0]), moved=0.054)])
    '3 intents, 1 empty, 5.4% of users moved'
    """
    return "; ".join(
        f"{report.num_intents} intents"
        + (f", {report.empty} empty" if report.empty else "")
        + (f", {report.moved:.1%} of users moved" if report.moved == report.moved else "")
        for report in reports
    )


def clock(seconds: float) -> str:
    """A time to come, rounded to seconds.

    Example:
    >>> clock(7.4), clock(65), clock(7384)
    ('0:07', '1:05', '2:03:04')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
