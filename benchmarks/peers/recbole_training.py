"""Seconds per training epoch of RecBole's SASRec (cross-entropy); runs in RecBole's environment.

    python recbole_training.py Beauty.txt STEPS

Every prefix of a history is an example, padded to 50, as RecBole does it. Prints a JSON object;
the epoch is so many times the mean of STEPS training steps as there are steps in an epoch.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.utils import init_seed
from torch import optim

WARM_UP_STEPS = 3
SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "USER_ID_FIELD": "user_id",
    "ITEM_ID_FIELD": "item_id",
    "TIME_FIELD": "timestamp",
    "MAX_ITEM_LIST_LENGTH": 50,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_size": 64,
    "inner_size": 256,
    "loss_type": "CE",
    "train_neg_sample_args": None,
    "train_batch_size": 256,
    "eval_args": {
        "split": {"LS": "valid_and_test"},
        "order": "TO",
        "group_by": "user",
        "mode": "full",
    },
    "use_gpu": False,
    "state": "ERROR",
    "show_progress": False,
}


def write_atomic_file(sequences: str, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with open(sequences) as lines, path.open("w") as out:
        out.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for line in lines:
            user, *items = line.split()
            out.writelines(f"{user}\t{item}\t{step}\n" for step, item in enumerate(items))


def main(sequences: str, steps: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_atomic_file(sequences, Path(folder) / "log" / "log.inter")
        sys.argv = sys.argv[:1]  # RecBole reads the command line as well.
        config = Config("SASRec", "log", config_dict=SETTINGS | {"data_path": folder})
        init_seed(0, True)
        batches, _, _ = data_preparation(config, create_dataset(config))
        model = SASRec(config, batches.dataset)
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        model.train()
        seconds = []
        start = time.perf_counter()
        for _, batch in zip(range(WARM_UP_STEPS + steps), batches, strict=False):
            optimizer.zero_grad()
            model.calculate_loss(batch).backward()
            optimizer.step()
            now = time.perf_counter()
            seconds.append(now - start)
            start = now
    seconds = seconds[WARM_UP_STEPS:]
    result = {
        "epoch": sum(seconds) / len(seconds) * len(batches),
        "steps": len(batches),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
