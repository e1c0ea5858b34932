"""Epochs of a `SequentialRecommender`, resumable, with the best one kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import keras

from tf_iclrec.data.augmentation import ViewRatios
from tf_iclrec.data.batches import evaluation_batches, training_batches
from tf_iclrec.data.splits.split import Split
from tf_iclrec.data.training_rows import num_training_steps
from tf_iclrec.models.sequential_recommender import SequentialRecommender
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.settings import Setting, checked
from tf_iclrec.training.intent_clustering import IntentClustering, clustering_device
from tf_iclrec.training.lazy_adam import LazyAdam
from tf_iclrec.training.progress_lines import ProgressLines
from tf_iclrec.training.replicas import Replicas
from tf_iclrec.training.save_progress import SaveProgress
from tf_iclrec.training.stop_on_non_finite import StopOnNonFinite
from tf_iclrec.training.tensorboard_log import TensorBoardLog


@checked
def train_recommender(
    model: SequentialRecommender,
    split: Split,
    directory: RunDirectory,
    views: ViewRatios | None = None,
    clustering: IntentClustering | None = None,
    start: Callable[[], None] = lambda: None,
    stop_after: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    evaluation: Mapping[str, Any] | None = None,
    epochs: Annotated[
        int, Setting("passes over the data at most", at_least=1, may_change=True)
    ] = 8,
    batch_size: Annotated[int, Setting("users per training step", at_least=1)] = 64,
    learning_rate: Annotated[float, Setting("Adam's learning rate", above=0)] = 1e-3,
    learning_rate_schedule: Annotated[
        Literal["constant", "cosine"], Setting("constant, or cosine: falling to 0 over all epochs")
    ] = "cosine",
    patience: Annotated[
        int,
        Setting(
            "epochs without a better validation NDCG@20 before stopping",
            at_least=1,
            may_change=True,
        ),
    ] = 5,
    windows: Annotated[
        bool,
        Setting(
            "train on all items of a history longer than --max-length, in windows of that length, "
            "not on its last ones alone"
        ),
    ] = False,
    pad_to_max_length: Annotated[
        bool, Setting("mix users of all lengths in a batch, padded to the longest history")
    ] = False,
    # Faiss takes 31 bits.
    seed: Annotated[int, Setting("seed of everything random", at_least=0, at_most=2**31 - 1)] = 0,
) -> int:
    """Train a new model, or go on after the last complete epoch in the directory.

    Args:
        model: A built model. It has the weights of the best epoch afterwards.
        split: The log. Where nothing is held out for validation, the last epoch is the best.
        directory: For checkpoints and figures.
        views: How sequences are augmented, if the objectives want views.
        clustering: The E-step, if they want intents.
        start: Called on a model that has not been trained at all.
        stop_after: Number of the last epoch, where that is before ``epochs``, which the learning
            rate follows.
        callbacks: Further ones, which come last.
        evaluation: Settings of `held_out_answers` for the validation.
        epochs: Passes over the data at most.
        batch_size: Users in a step.
        learning_rate: Adam's.
        learning_rate_schedule: ``"constant"``, or ``"cosine"``: falling to 0 over all epochs.
        patience: Epochs without a better validation NDCG@20 before stopping.
        windows: Whether to train on all of a history that is longer than the model reads, in
            windows of that length, in place of its last items.
        pad_to_max_length: Whether to mix users of all lengths in a batch, padded to the longest
            history that the model reads, in place of batches of similar lengths.
        seed: Of everything random.

    Returns:
        The number of the best epoch, from 1.

    Raises:
        NonFiniteLossError: If a loss becomes NaN or infinite.
    """
    evaluation = evaluation or {}
    window = model.max_length if windows else None
    steps = num_training_steps(split, batch_size, model.encoder.task, window)
    replicas = Replicas.of(model)
    with replicas.strategy.scope():
        model.compile(new_optimizer(model, learning_rate, learning_rate_schedule, epochs * steps))
        model.build_optimizer()
    progress = SaveProgress(directory.checkpoints, directory.history, patience, seed, clustering)
    progress.restore(model)
    if progress.epochs_done:
        print(f"Resuming after epoch {progress.epochs_done}.", flush=True)
    else:
        start()
    replicas.equalize(model)
    last_epoch = epochs if stop_after is None else min(epochs, stop_after)
    if progress.stopped or progress.epochs_done >= last_epoch:
        progress.restore_best(model)
        return progress.best_epoch
    train = training_batches(
        split,
        batch_size=batch_size,
        model=model,
        views=views,
        windows=windows,
        seed=seed,
        first_epoch=progress.epochs_done,
        pad_to_max_length=pad_to_max_length,
        share=replicas.share,
    )
    valid = None
    if len(split.valid.users):
        valid = evaluation_batches(
            split,
            "valid",
            model=model,
            filter_seen=evaluation.get("filter_seen", True),
            max_users=evaluation.get("evaluation_users"),
            share=replicas.share,
        )
    if clustering:
        print(f"Intents are clustered on: {clustering_device()}", flush=True)
    model.fit(
        **replicas.fitted(train, valid),
        initial_epoch=progress.epochs_done,
        epochs=last_epoch,
        callbacks=[
            StopOnNonFinite(),
            *([clustering] if clustering else []),
            TensorBoardLog(directory.tensorboard),
            progress,
            ProgressLines(last_epoch, directory.log, clustering, progress),
            *callbacks,
        ],
        shuffle=False,
        verbose=0,
    )
    progress.restore_best(model)
    return progress.best_epoch


def new_optimizer(
    model: SequentialRecommender, learning_rate: float, schedule: str, steps: int
) -> keras.optimizers.Optimizer:
    """Adam; for a loss over sampled items, `LazyAdam`, which leaves the other items alone.

    Args:
        model: What is trained.
        learning_rate: That of the first step.
        schedule: ``"constant"`` or ``"cosine"``.
        steps: Of the whole training.
    """
    kind = LazyAdam if model.sampling else keras.optimizers.Adam
    if schedule == "cosine":
        return kind(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    return kind(learning_rate)
