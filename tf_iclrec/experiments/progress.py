"""How far an experiment is, and how long it will take."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence

from tf_iclrec.experiments.store import Store
from tf_iclrec.experiments.trial import Trial
from tf_iclrec.training.progress_lines import clock

_BAR = 20


class Progress:
    """A bar over all trainings, in a terminal; elsewhere a line for each that ends.

    The time left counts epochs: it is too long where trainings stop early.

    Args:
        trials: All of the experiment.
        store: Where they are.
    """

    def __init__(self, trials: Sequence[Trial], store: Store):
        self._trials, self._store = trials, store
        self._start = time.monotonic()
        self._ended = {trial.name for trial in trials if not store.lacks(trial)}
        self._done_before = self._done()
        print(f"Trainings: {len(trials)}, of which are there: {len(self._ended)}", flush=True)

    def ended(self, trial: Trial, why: str) -> None:
        """Say that a training has ended, and why if it failed."""
        self._ended.add(trial.name)
        self._clear()
        print(f"{trial}: {f'failed: {why}' if why else 'trained'}; {self._place()}", flush=True)

    def show(self, running: Sequence[Trial]) -> None:
        """Show the bar; nothing where there is no terminal."""
        if not sys.stdout.isatty():
            return
        filled = round(_BAR * self._done() / max(len(self._trials), 1))
        now = "; ".join(f"{trial}: epoch {self._epochs(trial)}" for trial in running)
        line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {self._place()}; {now}"
        self._clear()
        if running:
            print(line[: shutil.get_terminal_size().columns - 1], end="", flush=True)

    def _place(self) -> str:
        place = f"{len(self._ended)} of {len(self._trials)}"
        done = self._done()
        if self._done_before < done < len(self._trials):
            speed = (done - self._done_before) / (time.monotonic() - self._start)
            place += f", about {clock((len(self._trials) - done) / speed)} left"
        return place

    def _done(self) -> float:
        """How many trainings, in parts of them."""
        return sum(1.0 if one.name in self._ended else self._part(one) for one in self._trials)

    def _part(self, trial: Trial) -> float:
        epochs = trial.config.options().get("epochs", 1)
        return min(1.0, self._epochs(trial) / epochs)

    def _epochs(self, trial: Trial) -> int:
        history = self._store.run(trial).history
        return max(0, history.read_text().count("\n") - 1) if history.is_file() else 0

    def _clear(self) -> None:
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)
