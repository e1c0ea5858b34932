"""Epochs of a pre-training, resumable like those of the training that follows."""

from pathlib import Path

import keras

from tf_iclrec.data.splits.split import Split
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.models.segment_pretraining import SegmentPretraining
from tf_iclrec.training.checkpoints import Checkpoints
from tf_iclrec.training.progress_lines import ProgressLines
from tf_iclrec.training.save_progress import reseed
from tf_iclrec.training.stop_on_non_finite import StopOnNonFinite


class SavePretraining(keras.callbacks.Callback):
    """Save each complete epoch, so that a pre-training goes on where it was.

    Args:
        folder: Where to.
        seed: Seed of the dropout.

    Attributes:
        epochs_done: Number of complete epochs.
    """

    def __init__(self, folder: Path, seed: int):
        super().__init__()
        self.checkpoints = Checkpoints(folder)
        self.seed = seed
        self.epochs_done = 0

    def restore(self, model: keras.Model) -> None:
        """Load the last complete epoch, if there is one."""
        if state := self.checkpoints.read():
            self.checkpoints.load(model)
            self.epochs_done = state["epochs_done"]

    def on_epoch_begin(self, epoch, logs=None):
        reseed(self.model, self.seed, epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs_done = epoch + 1
        self.checkpoints.save(
            self.model, self.epochs_done, is_best=True, epochs_done=self.epochs_done
        )


def pretrain(
    pretraining: SegmentPretraining,
    encoder: Encoder,
    split: Split,
    folder: Path,
    log: Path,
    seed: int,
) -> None:
    """Pre-train an encoder, or go on after the last complete epoch in a folder.

    Args:
        pretraining: What is asked, and for how many epochs.
        encoder: A built encoder; it has the weights of the last epoch afterwards.
        split: The log, of which the training part is read.
        folder: For the checkpoints.
        log: File for all figures.
        seed: Of everything random.
    """
    folder.mkdir(exist_ok=True)
    model = pretraining.model(encoder)
    progress = SavePretraining(folder, seed)
    progress.restore(model)
    if progress.epochs_done >= pretraining.epochs:
        return
    print(f"Pre-training: {pretraining.epochs} epochs, {progress.epochs_done} done.", flush=True)
    batches = pretraining.batches(
        split.train,
        split.interactions.num_items,
        encoder.max_length,
        seed=seed,
        first_epoch=progress.epochs_done,
    )
    model.fit(
        batches,
        initial_epoch=progress.epochs_done,
        epochs=pretraining.epochs,
        callbacks=[
            StopOnNonFinite(),
            progress,
            ProgressLines(pretraining.epochs, log, name="Pre-training, epoch"),
        ],
        shuffle=False,
        verbose=0,
    )
