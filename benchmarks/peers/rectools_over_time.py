"""Train a model of RecTools for some minutes, with lists after each epoch, in its environment.

    python rectools_over_time.py Beauty.txt MODEL MINUTES OUTPUT_FOLDER

MODEL is ``sasrec``, with its softmax over all items, or ``esasrec``: LiGR layers and a softmax over
sampled items, the strongest of RecTools' transformers by its authors (Tikhonovich et al., RecSys
2025). OUTPUT_FOLDER gets an ``epoch_N.npz`` per epoch: ``seconds`` of training up to there,
``users`` and their ``lists`` of 20 unseen items, best first. Width, length and
heads are those of the models beside it, and eSASRec has 256 negatives; all else is RecTools'
default.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
from pytorch_lightning import Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.ligr import LiGRLayers
from rectools_recommend import read_sequences

MODELS = {
    "sasrec": {},
    "esasrec": {
        **{"transformer_layers_type": LiGRLayers, "loss": "sampled_softmax"},
        "n_negatives": 256,
    },
}
SIZES = {"n_blocks": 2, "n_heads": 2, "n_factors": 128, "session_max_len": 50}
K = 20


def main(path: str, name: str, minutes: float, output: Path) -> None:
    warnings.filterwarnings("ignore")
    seed_everything(0)
    frame = read_sequences(path)
    from_the_end = frame.groupby(Columns.User).cumcount(ascending=False)
    training = Dataset.construct(frame[from_the_end >= 2])
    histories = Dataset.construct(frame[from_the_end >= 1])
    users = histories.user_id_map.external_ids
    model = SASRecModel(
        **SIZES,
        **MODELS[name],
        get_trainer_func=lambda: Trainer(
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ),
    )
    seconds, epoch = 0.0, 0
    while seconds < 60 * minutes:
        start = time.perf_counter()
        model.fit_partial(training, min_epochs=1, max_epochs=1)
        seconds, epoch = seconds + time.perf_counter() - start, epoch + 1
        lists = model.recommend(
            users=users, dataset=histories, k=K, filter_viewed=True, on_unsupported_targets="ignore"
        )
        np.savez(output / f"epoch_{epoch}.npz", seconds=seconds, **by_user(lists))


def by_user(lists) -> dict[str, np.ndarray]:
    """Recommendations, a row each, as an array with a row per user."""
    users, rows = np.unique(lists[Columns.User].to_numpy(), return_inverse=True)
    found = np.zeros((len(users), K), dtype=np.int64)
    found[rows, lists[Columns.Rank].to_numpy() - 1] = lists[Columns.Item].to_numpy()
    return {"users": users, "lists": found}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
