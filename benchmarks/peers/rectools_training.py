"""Seconds per training epoch of RecTools' SASRec (softmax); runs in RecTools' environment.

    python rectools_training.py Beauty.txt STEPS

Prints a JSON object; the epoch is so many times the mean of STEPS training steps as there are
steps in an epoch.
"""

import json
import resource
import sys
import time
import warnings

from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools_recommend import read_sequences

WARM_UP_STEPS = 2


class StepTimes(Callback):
    """When each training step ended, and how many an epoch has."""

    def __init__(self):
        self.ends, self.steps = [], 0

    def on_train_batch_end(self, trainer, module, *_):
        self.ends.append(time.perf_counter())
        self.steps = len(trainer.train_dataloader)


def main(path: str, steps: int) -> None:
    warnings.filterwarnings("ignore")
    frame = read_sequences(path)
    held_out = frame.groupby(Columns.User).cumcount(ascending=False) < 2
    model = SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=64,
        session_max_len=50,
        loss="softmax",
        batch_size=256,
        get_trainer_func=lambda: Trainer(
            max_epochs=1,
            limit_train_batches=WARM_UP_STEPS + steps,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[StepTimes()],
        ),
    )
    model.fit(Dataset.construct(frame[~held_out]))
    # RecTools trains with a copy of the trainer.
    (times,) = (part for part in model.fit_trainer.callbacks if isinstance(part, StepTimes))
    measured = times.ends[-1] - times.ends[WARM_UP_STEPS - 1]
    result = {
        "epoch": measured / steps * times.steps,
        "steps": times.steps,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
