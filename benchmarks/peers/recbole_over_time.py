"""Train RecBole's SASRec for some minutes, with lists after each epoch; in RecBole's environment.

    python recbole_over_time.py Beauty.txt MODEL MINUTES OUTPUT_FOLDER

MODEL is ``sasrec``. OUTPUT_FOLDER gets an ``epoch_N.npz`` per epoch: ``seconds`` of training up to
there, ``users`` and their ``lists`` of 20 unseen items, best first. Width and length are those of
the models beside it; all else is RecBole's default.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer
from recbole.utils import init_seed
from recbole_training import SETTINGS, write_atomic_file

SIZES = {"hidden_size": 128, "inner_size": 512}
K = 20


def main(sequences: str, minutes: float, output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_atomic_file(sequences, Path(folder) / "log" / "log.inter")
        os.chdir(folder)  # RecBole writes its own log into the working directory.
        settings = SETTINGS | SIZES | {"data_path": folder, "checkpoint_dir": folder}
        config = Config("SASRec", "log", config_dict=settings)
        init_seed(0, True)
        training, _, test = data_preparation(config, create_dataset(config))
        trainer = Trainer(config, SASRec(config, training.dataset))
        trainer.tot_item_num = test.dataset.item_num  # As its own evaluation sets it.
        seen = seen_items(test.dataset)
        seconds, epoch = 0.0, 0
        while seconds < 60 * minutes:
            start = time.perf_counter()
            trainer._train_epoch(training, epoch)
            seconds, epoch = seconds + time.perf_counter() - start, epoch + 1
            np.savez(output / f"epoch_{epoch}.npz", seconds=seconds, **lists(trainer, test, seen))


def seen_items(dataset) -> torch.Tensor:
    """Whether a user (row) had an item (column) before the test, by RecBole's ids."""
    seen = torch.zeros(dataset.user_num, dataset.item_num, dtype=torch.bool)
    rows = dataset.inter_feat
    # Each row of the test is a user's whole history, padded with 0.
    seen[rows["user_id"][:, None], rows["item_id_list"]] = True
    return seen


@torch.no_grad()
def lists(trainer: Trainer, test, seen: torch.Tensor) -> dict[str, np.ndarray]:
    """The best unseen items of the users of the test, by raw ids."""
    users, best = [], []
    trainer.model.eval()
    for batch in test:
        interaction, scores, _, _ = trainer._full_sort_batch_eval(batch)
        users.append(interaction["user_id"])
        scores = scores.masked_fill(seen[users[-1]], -torch.inf)
        best.append(scores.topk(K).indices)
    users, best = torch.cat(users).numpy(), torch.cat(best).numpy()
    raw = test.dataset.id2token
    return {
        "users": raw("user_id", users).astype(np.int64),
        "lists": raw("item_id", best).astype(np.int64),
    }


if __name__ == "__main__":
    sequences, _, minutes, output = sys.argv[1:]
    sys.argv = sys.argv[:1]  # RecBole reads the command line as well.
    main(os.path.abspath(sequences), float(minutes), Path(output).absolute())
