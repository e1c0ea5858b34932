"""Checkpoints, history and early stopping: all that an interrupted run needs to go on."""

import csv
import json
import math
import time
from pathlib import Path

import keras
import numpy as np

from tf_iclrec.files import replace_file, write_json
from tf_iclrec.models.sequential_recommender import SequentialRecommender

MONITOR = "val_NDCG@20"
_STATE = "state.json"
_BEST = "best.weights.h5"


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Set what dropout draws from by seed and epoch alone: an epoch is then the same, whether or
    not the training was interrupted before it."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for index, state in enumerate(states):
        state.assign(np.random.SeedSequence([seed, epoch, index]).generate_state(2))


class SaveProgress(keras.callbacks.Callback):
    """Save each complete epoch, remember the best one and stop when none is better for long.

    ``checkpoints/state.json`` is written last and names the weights that belong to it, so a
    run killed at any moment has a consistent checkpoint. The weights hold the optimizer and
    the intents; randomness is set anew from the seed and the epoch's number, so a resumed run
    goes on exactly as if it had not been interrupted.

    Args:
        checkpoints: Folder of the checkpoints; must exist.
        history: CSV file with a row per epoch.
        patience: Epochs without a better validation NDCG@20 before stopping.
        seed: Seed of the dropout.

    Attributes:
        epochs_done: Number of complete epochs.
        best_epoch: The best one, counted from 1; 0 before the first.
        best_score: Its validation NDCG@20; its number, where nothing is validated.
        stopped: Whether patience ran out.
    """

    def __init__(self, checkpoints: Path, history: Path, patience: int, seed: int):
        super().__init__()
        self.checkpoints = checkpoints
        self.history = history
        self.patience = patience
        self.seed = seed
        self.epochs_done = 0
        self.best_epoch = 0
        self.best_score = -math.inf
        self.rows: list[dict[str, float]] = []
        self._last_time = 0.0

    @property
    def stopped(self) -> bool:
        return self.epochs_done - self.best_epoch >= self.patience

    def restore(self, model: SequentialRecommender) -> None:
        """Load the last complete epoch, if there is one, into a compiled model."""
        if not (self.checkpoints / _STATE).is_file():
            return
        state = json.loads((self.checkpoints / _STATE).read_text())
        model.build_optimizer()
        model.load_weights(self.checkpoints / state["weights"])
        self.epochs_done = state["epochs_done"]
        self.best_epoch = state["best_epoch"]
        self.best_score = state["best_score"]
        self.rows = state["history"]

    def restore_best(self, model: SequentialRecommender) -> None:
        """Load the weights of the best epoch."""
        model.load_weights(self.checkpoints / _BEST)

    def on_train_begin(self, logs=None):
        self._last_time = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        reseed(self.model, self.seed, epoch)

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1} | {name: float(value) for name, value in logs.items()}
        # From the end of the last epoch, so that the E-step counts.
        now = time.perf_counter()
        row["seconds"], self._last_time = now - self._last_time, now
        self.rows.append(row)
        self.epochs_done = epoch + 1
        # Without validation the last epoch is the best.
        score = float(logs.get(MONITOR, self.epochs_done))
        if score > self.best_score:
            self.best_score, self.best_epoch = score, self.epochs_done
            with replace_file(self.checkpoints / _BEST) as path:
                self.model.save_weights(path)
        self._save()
        if self.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped:
            print(f"No better {MONITOR} for {self.patience} epochs: stopped.", flush=True)

    def _save(self):
        weights = f"epoch_{self.epochs_done}.weights.h5"
        with replace_file(self.checkpoints / weights) as path:
            self.model.save_weights(path)
        write_json(
            self.checkpoints / _STATE,
            {
                "weights": weights,
                "epochs_done": self.epochs_done,
                "best_epoch": self.best_epoch,
                "best_score": self.best_score,
                "history": self.rows,
            },
        )
        for old in self.checkpoints.glob("epoch_*.weights.h5"):
            if old.name != weights:
                old.unlink()
        with replace_file(self.history) as path, path.open("w", newline="") as file:
            # Intents appear only after the warm-up, so later rows can have more columns.
            columns = list(dict.fromkeys(name for row in self.rows for name in row))
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
