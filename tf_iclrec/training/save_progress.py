"""Checkpoints, history and early stopping: all that an interrupted run needs to go on."""

import csv
import math
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.evaluation.metrics import MAIN_METRIC
from tf_iclrec.files import replace_file
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.training.checkpoints import Checkpoints
from tf_iclrec.training.intent_clustering import IntentClustering
from tf_iclrec.training.replicas import Replicas

MONITOR = f"val_{MAIN_METRIC}"


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Set what dropout draws from by seed and epoch alone: an epoch is then the same, whether or
    not the training was interrupted before it. Of several replicas each draws for itself."""
    replicas = Replicas.of(model)
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for index, state in enumerate(states):
        own_states = replicas.strategy.experimental_local_results(state.value)
        for replica, own in enumerate(own_states, replicas.share.first):
            source = [seed, epoch, index, replica] if replica else [seed, epoch, index]
            own.assign(tf.cast(np.random.SeedSequence(source).generate_state(2), own.dtype))


class SaveProgress(keras.callbacks.Callback):
    """Save each complete epoch, remember the best one and stop when none is better for long.

    The weights hold the optimizer and the intents; randomness is set anew from the seed and the
    epoch's number, so a run killed at any moment goes on exactly as if it had not been.

    Args:
        checkpoints: Folder of the checkpoints; must exist.
        history: CSV file with a row per epoch.
        patience: Epochs without a better validation NDCG@20 before stopping.
        seed: Seed of the dropout.
        clustering: The E-step, if there is one.

    Attributes:
        epochs_done: Number of complete epochs.
        best_epoch: The best one, counted from 1; 0 before the first.
        best_score: Its validation NDCG@20; its number, where nothing is validated.
        stopped: Whether patience ran out.
    """

    def __init__(
        self,
        checkpoints: Path,
        history: Path,
        patience: int,
        seed: int,
        clustering: IntentClustering | None = None,
    ):
        super().__init__()
        self.checkpoints = Checkpoints(checkpoints)
        self.history = history
        self.patience = patience
        self.seed = seed
        self.clustering = clustering
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
        state = self.checkpoints.read()
        if state is None:
            return
        model.build_optimizer()
        self.checkpoints.load(model)
        self.epochs_done = state["epochs_done"]
        self.best_epoch = state["best_epoch"]
        self.best_score = state["best_score"]
        self.rows = state["history"]
        if state["best_weights"] == state["weights"] and self.best_epoch < self.epochs_done:
            # Those of the best epoch are damaged.
            self._count_as_best(self.rows[-1])
        if self.clustering:
            self.clustering.restore(state.get("intents", ()))
        # As it may be of an epoch less, or of one that turned out to be damaged.
        self._write_history()

    def restore_best(self, model: SequentialRecommender) -> None:
        """Load the weights of the best epoch."""
        self.checkpoints.load_best(model)

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
        if is_best := self._score(row) > self.best_score:
            self._count_as_best(row)
        self.checkpoints.save(
            self.model,
            self.epochs_done,
            is_best,
            epochs_done=self.epochs_done,
            best_epoch=self.best_epoch,
            best_score=self.best_score,
            history=self.rows,
            intents=self.clustering.state() if self.clustering else [],
        )
        self._write_history()
        if self.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped:
            print(f"No better {MONITOR} for {self.patience} epochs: stopped.", flush=True)

    def _score(self, row: dict[str, float]) -> float:
        # Without validation the last epoch is the best.
        return row.get(MONITOR, float(row["epoch"]))

    def _count_as_best(self, row: dict[str, float]) -> None:
        self.best_score, self.best_epoch = self._score(row), row["epoch"]

    def _write_history(self):
        with replace_file(self.history) as path, path.open("w", newline="") as file:
            # Intents appear only after the warm-up, so later rows can have more columns.
            columns = list(dict.fromkeys(name for row in self.rows for name in row))
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
