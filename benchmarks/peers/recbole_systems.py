"""Train a model of RecBole at its defaults on MovieLens-100k; runs in RecBole's environment.

    OMP_NUM_THREADS=1 python recbole_systems.py ML100K_FOLDER MODEL OUTPUT_FOLDER

ML100K_FOLDER has ``ml-100k.inter`` and ``ml-100k.item``. Every user's last interaction is the test
target and the one before it the validation target. OUTPUT_FOLDER/data gets the data as RecBole
reads them, and ``ml-100k.txt``, the same sequences for everybody else. OUTPUT_FOLDER/MODEL gets

* ``log.jsonl``: a line an epoch, with the seconds of training up to there;
* ``best.npz``: ranks and recommendations for the test, of the epoch that RecBole would keep;
* ``done.json``: what the run amounts to; there when the run has ended.

Needs pandas < 3, under which RecBole 1.2.1 reads the items' classes for S3Rec.

Seconds are of one thread and of training alone. A run that was interrupted, or that its time limit
ended, goes on when it is started again.
"""

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import early_stopping, get_model, init_seed

MODELS = ("BPR", "GRU4Rec", "Caser", "BERT4Rec", "SRGNN", "S3Rec")
# RecBole replaces a data set of the name "ml-100k" by a copy of its own.
NAME = "ml100k"
SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
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
NUM_RECOMMENDED = 20
CUTOFF = 10


@dataclass
class Progress:
    """How far a run has come."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    best: float = -math.inf
    waited: int = 0
    stopped: bool = False
    cpu: float = 0.0
    wall: float = 0.0


@dataclass
class Parts:
    """What RecBole makes of a configuration."""

    trainer: Trainer
    training: Any
    validation: Any
    test: Any


def write_data(source: Path, folder: Path) -> None:
    """Write the data in an order that every program reads alike, unless they are there.

    Half of the interactions share their timestamp with another one of the user, and RecBole
    rounds timestamps to 32 bits. Ranks within a user, where ties keep the order of the file, leave
    nothing to chance.
    """
    sequences = folder / "ml-100k.txt"
    if sequences.is_file():
        return
    histories = defaultdict(list)
    with (source / "ml-100k.inter").open() as lines:
        next(lines)
        for line in lines:
            user, item, _, timestamp = line.split()
            histories[int(user)].append((float(timestamp), int(item)))
    for history in histories.values():
        history.sort(key=lambda interaction: interaction[0])
    atomic = folder / NAME
    atomic.mkdir(parents=True, exist_ok=True)
    with (atomic / f"{NAME}.inter").open("w") as out:
        out.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user, history in sorted(histories.items()):
            out.writelines(f"{user}\t{item}\t{i}\n" for i, (_, item) in enumerate(history))
    shutil.copyfile(source / "ml-100k.item", atomic / f"{NAME}.item")
    with sequences.open("w") as out:
        for user, history in sorted(histories.items()):
            out.write(" ".join(map(str, [user, *(item for _, item in history)])) + "\n")


def build(model: str, data: Path, folder: Path, **settings: Any) -> Parts:
    """Data, model and trainer, made and seeded as RecBole's own `run_recbole` does it."""
    settings = SETTINGS | {"data_path": str(data), "checkpoint_dir": str(folder)} | settings
    if model != "BPR":
        settings["train_neg_sample_args"] = None  # Cross-entropy over all items.
    if model == "S3Rec":
        settings["load_col"] = settings["load_col"] | {"item": ["item_id", "class"]}
    config = Config(model, NAME, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    training, validation, test = data_preparation(config, create_dataset(config))
    init_seed(config["seed"], config["reproducibility"])
    network = get_model(model)(config, training._dataset)
    return Parts(Trainer(config, network), training, validation, test)


def save(path: Path, parts: Parts, progress: Progress) -> None:
    """Write all that the rest of the run depends on."""
    state = {
        "progress": asdict(progress),
        "model": parts.trainer.model.state_dict(),
        "optimizer": parts.trainer.optimizer.state_dict(),
        "random": (
            random.getstate(),
            np.random.get_state(),  # noqa: NPY002
            torch.get_rng_state(),
            parts.training.generator.get_state(),
        ),
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
    log = "".join(json.dumps(row) + "\n" for row in progress.rows)
    (path.parent / "log.jsonl").write_text(log)


def restore(path: Path, parts: Parts) -> Progress | None:
    """Take up what `save` wrote, if it is there."""
    if not path.is_file():
        return None
    state = torch.load(path, weights_only=False)
    parts.trainer.model.load_state_dict(state["model"])
    parts.trainer.optimizer.load_state_dict(state["optimizer"])
    python, numpy, default, shuffling = state["random"]
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_rng_state(default)
    parts.training.generator.set_state(shuffling)
    return Progress(**state["progress"])


def train_epoch(parts: Parts, epoch: int, progress: Progress) -> float:
    """Train, count the seconds and return the sum of the losses."""
    cpu, wall = time.process_time(), time.perf_counter()
    loss = parts.trainer._train_epoch(parts.training, epoch)
    progress.cpu += time.process_time() - cpu
    progress.wall += time.perf_counter() - wall
    return loss


def pretrain(parts: Parts, folder: Path, max_seconds: float) -> Progress:
    """Pre-train S3Rec and write its weights to ``pretrained.pth``."""
    checkpoint = folder / "pretraining.pt"
    progress = restore(checkpoint, parts) or Progress()
    epochs = parts.trainer.config["pretrain_epochs"]
    while len(progress.rows) < epochs and progress.cpu < max_seconds:
        epoch = len(progress.rows)
        loss = train_epoch(parts, epoch, progress)
        progress.rows.append(
            {
                "stage": "pretrain",
                "epoch": epoch,
                "loss": loss,
                "cpu": progress.cpu,
                "wall": progress.wall,
            }
        )
        save(checkpoint, parts, progress)
    # RecBole writes its configuration as well, which torch >= 2.6 refuses to read.
    torch.save({"state_dict": parts.trainer.model.state_dict()}, folder / "pretrained.pth")
    return progress


def train(parts: Parts, folder: Path, progress: Progress, max_seconds: float) -> Progress:
    """Train until RecBole would stop; ``progress`` is what went before."""
    checkpoint = folder / "training.pt"
    progress = restore(checkpoint, parts) or progress
    before = [row for row in progress.rows if row["stage"] == "pretrain"]
    max_seconds += before[-1]["cpu"] if before else 0.0
    trainer = parts.trainer
    dataset = parts.test._dataset
    seen = seen_items(Path(trainer.config["data_path"]).parent / "ml-100k.txt", dataset)
    while (
        not progress.stopped
        and len(progress.rows) - len(before) < trainer.epochs
        and progress.cpu < max_seconds
    ):
        epoch = len(progress.rows) - len(before)
        loss = train_epoch(parts, epoch, progress)
        valid, _ = trainer._valid_epoch(parts.validation)
        progress.best, progress.waited, progress.stopped, improved = early_stopping(
            valid, progress.best, progress.waited, trainer.stopping_step
        )
        users, ranks, recommended = evaluate(parts, seen)
        if improved:
            np.savez_compressed(
                folder / "best.npz",
                epoch=epoch,
                users=dataset.id2token("user_id", users).astype(np.int64),
                ranks=ranks,
                recommended=dataset.id2token("item_id", recommended).astype(np.int64),
            )
        progress.rows.append(
            {
                "stage": "train",
                "epoch": epoch,
                "loss": loss,
                "cpu": progress.cpu,
                "wall": progress.wall,
                "valid": valid,
                "improved": improved,
                "NDCG@10": float(np.where(ranks <= CUTOFF, 1 / np.log2(ranks + 1), 0).mean()),
            }
        )
        save(checkpoint, parts, progress)
    return progress


def seen_items(sequences: Path, dataset: Any) -> torch.Tensor:
    """Whether a user (row) had an item (column) before the test, by RecBole's ids."""
    seen = torch.zeros(dataset.user_num, dataset.item_num, dtype=torch.bool)
    for line in sequences.read_text().splitlines():
        user, *items = line.split()
        user_id = dataset.token2id("user_id", user)
        seen[user_id, dataset.token2id("item_id", items[:-1])] = True
    return seen


@torch.no_grad()
def evaluate(parts: Parts, seen: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users, ranks of their test targets among the items they had not seen (equal scores count
    against the target), and the best items, all by RecBole's ids."""
    users, ranks, recommended = [], [], []
    parts.trainer.model.eval()
    for batch in parts.test:
        interaction, scores, _, targets = parts.trainer._full_sort_batch_eval(batch)
        rows = interaction["user_id"]
        scores = scores.masked_fill(seen[rows], -math.inf)
        of_targets = scores.gather(1, targets[:, None])
        users.append(rows)
        ranks.append((scores >= of_targets).sum(dim=1))
        order = scores.argsort(dim=1, descending=True, stable=True)
        recommended.append(order[:, :NUM_RECOMMENDED])
    return tuple(torch.cat(parts).numpy() for parts in (users, ranks, recommended))


def summary(progress: Progress) -> dict[str, Any]:
    before = [row for row in progress.rows if row["stage"] == "pretrain"]
    rows = progress.rows[len(before) :]
    kept = [row for row in rows if row["improved"]][-1]
    return {
        "pre-training epochs": len(before),
        "pre-training cpu": before[-1]["cpu"] if before else 0.0,
        "epochs": len(rows),
        "stopped early by RecBole": progress.stopped,
        "best epoch": kept["epoch"],
        "best valid": kept["valid"],
        "NDCG@10": kept["NDCG@10"],
        "best NDCG@10 of all epochs": max(row["NDCG@10"] for row in rows),
        "cpu to best epoch": kept["cpu"],
        "cpu": progress.cpu,
        "wall": progress.wall,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, metavar="ML100K_FOLDER")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("output", type=Path, metavar="OUTPUT_FOLDER")
    parser.add_argument(
        "--max-minutes", type=float, default=math.inf, help="CPU time of training, per stage"
    )
    options = parser.parse_args()
    sys.argv = sys.argv[:1]  # RecBole reads the command line as well.
    torch.set_num_threads(1)
    source, output = options.source.absolute(), options.output.absolute()
    data, folder = output / "data", output / options.model
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)  # RecBole writes its own log into the working directory.
    write_data(source, data)
    max_seconds = options.max_minutes * 60
    progress, stage = Progress(), {}
    if options.model == "S3Rec":
        if not (folder / "training.pt").is_file():
            progress = pretrain(build("S3Rec", data, folder), folder, max_seconds)
        stage = {"train_stage": "finetune", "pre_model_path": str(folder / "pretrained.pth")}
    parts = build(options.model, data, folder, **stage)
    progress = train(parts, folder, progress, max_seconds)
    result = json.dumps(summary(progress), indent=2)
    (folder / "done.json").write_text(result + "\n")
    print(options.model, result, flush=True)


if __name__ == "__main__":
    main()
