"""Seconds that RecTools' SASRec takes to recommend to all users; runs in RecTools' environment.

    python -m venv rectools && rectools/bin/pip install 'rectools[torch]==0.19.*'
    rectools/bin/python benchmarks/peers/rectools_recommend.py Beauty.txt K REPEATS

Prints a JSON list. Recommending takes the same time whatever was learnt, so it trains one step.
"""

import json
import sys
import time
import warnings

import pandas as pd
from pytorch_lightning import Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


def read_sequences(path: str) -> pd.DataFrame:
    with open(path) as lines:
        rows = [list(map(int, line.split())) for line in lines]
    lengths = [len(row) - 1 for row in rows]
    frame = pd.DataFrame(
        {
            Columns.User: [row[0] for row, n in zip(rows, lengths, strict=True) for _ in range(n)],
            Columns.Item: [item for row in rows for item in row[1:]],
            Columns.Weight: 1.0,
        }
    )
    steps = frame.groupby(Columns.User).cumcount()
    frame[Columns.Datetime] = pd.Timestamp("2020-01-01") + pd.to_timedelta(steps, unit="D")
    return frame


def main(path: str, k: int, repeats: int) -> None:
    warnings.filterwarnings("ignore")
    dataset = Dataset.construct(read_sequences(path))
    model = SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=64,
        session_max_len=50,
        loss="softmax",
        batch_size=256,
        get_trainer_func=lambda: Trainer(
            max_epochs=1,
            limit_train_batches=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ),
    )
    model.fit(dataset)
    users = dataset.user_id_map.external_ids
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        model.recommend(users=users, dataset=dataset, k=k, filter_viewed=True)
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
