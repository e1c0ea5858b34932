"""Systems beside RecBole's on MovieLens-100k: how good they get, and how soon.

    python benchmarks/systems.py --data ML100K_FOLDER --output DIR --peers DIR [--only gru4rec ...]

Both sides train on one thread and count the processor seconds of that thread in training alone,
so that other work on the machine does not count. What is kept of each epoch that its own
validation likes best so far is ranked for the test, and both sides' lists of recommendations are
scored by the same function. RecBole trains at its defaults (see `peers/recbole_systems.py`), which
takes hours for some models; a run that is there is not repeated, one that was interrupted goes on.

The table gives RecBole's test NDCG@10 and its seconds to there; ours at its best; and the seconds
after which ours had 97% of RecBole's, with and without those in which TensorFlow traces the step.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PACKAGES = [
    *("recbole==1.2.1", "torch==2.13.0", "numpy<2", "setuptools<81", "pandas<3"),
]
# Ours, RecBole's, and what is set otherwise than the system does: widths as RecBole has them.
PAIRS = {
    "bpr_mf": ("BPR", {}),
    # The learning rate falls over all epochs: over 60 it fell too soon, on validation data.
    "gru4rec": ("GRU4Rec", {"epochs": 200}),
    "caser": ("Caser", {}),
    "bert4rec": ("BERT4Rec", {"cloze_ratio": 0.2}),
    "sr_gnn": ("SRGNN", {"epochs": 100, "windows": True}),
    "s3rec_isp": ("S3Rec", {}),
}
COMMON = {"epochs": 60, "batch_size": 64, "learning_rate_schedule": "cosine", "seed": 0}
WANTED_SHARE = 0.97
CUTOFF = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with ml-100k.inter")
    parser.add_argument("--output", required=True, type=Path, help="where runs are kept")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="RecBole's environment; made")
    parser.add_argument("--only", nargs="+", choices=PAIRS, default=list(PAIRS))
    parser.add_argument("--max-minutes", type=float, help="of a stage of RecBole's training")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        train_ours(options.one, options.output)
        return
    rows = {}
    for name in options.only:
        peer, _ = PAIRS[name]
        if options.peers:
            run_peer(options, peer)
        if not (options.output / name / "done.json").is_file():
            command = [sys.executable, __file__, "--one", name]
            command += ["--data", str(options.data), "--output", str(options.output)]
            threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
            quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
            subprocess.run(command, check=True, env=os.environ | threads | quiet)
        rows[name] = compared(options.output, name, peer)
    show(rows)
    (options.output / "systems.json").write_text(json.dumps(rows, indent=2) + "\n")


def run_peer(options, peer: str) -> None:
    """RecBole's training, in an environment of its own; it goes on where it was."""
    python = options.peers / "recbole" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    script = HERE / "peers" / "recbole_systems.py"
    command = [python.absolute(), "-W", "ignore", script, options.data, peer, options.output]
    if options.max_minutes:
        command += ["--max-minutes", str(options.max_minutes)]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def train_ours(name: str, output: Path) -> None:
    """Train one system and keep, of each epoch that is the best so far, its test lists."""
    import keras

    import tf_iclrec
    from tf_iclrec.evaluation.held_out import held_out_ranks
    from tf_iclrec.training.train_recommender import new_optimizer

    config = tf_iclrec.make_config(model=name, **COMMON | PAIRS[name][1])
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(output / "data" / "ml-100k.txt"))
    keras.utils.set_random_seed(config.training.seed)
    model = tf_iclrec.build_model(config, split.catalogue)
    batches = tf_iclrec.training_batches(
        split,
        config.training.batch_size,
        model.max_length,
        task=model.encoder.task,
        negatives=model.needs_negatives,
        sampling=model.sampling,
        windows=config.training.windows,
    )
    steps = len(batches) * config.training.epochs
    schedule = config.training.learning_rate_schedule
    model.compile(new_optimizer(model, config.training.learning_rate, schedule, steps))
    log = []

    class Clock(keras.callbacks.Callback):
        """Seconds of training, and what its epochs are worth."""

        seconds, tracing, best = 0.0, 0.0, -1.0

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.process_time()

        def on_train_batch_end(self, batch, logs=None):
            if not self.tracing:
                self.tracing = time.process_time() - self.start

        def on_epoch_end(self, epoch, logs=None):
            self.seconds += time.process_time() - self.start
            valid = tf_iclrec.metrics_of_ranks(held_out_ranks(model, split, "valid"))["NDCG@10"]
            row = {"epoch": epoch, "cpu": self.seconds, "tracing": self.tracing, "valid": valid}
            if valid > self.best:
                self.best = valid
                row["NDCG@10"] = ndcg_of_lists(*test_lists(model, split))
            log.append(row)

    model.fit(batches, epochs=config.training.epochs, callbacks=[Clock()], shuffle=False, verbose=0)
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "done.json").write_text(json.dumps({"config": config.to_dict(), "log": log}))


def test_lists(model, split) -> tuple[np.ndarray, np.ndarray]:
    """The ten best unseen items of each user, as raw ids, and what each chose."""
    import tensorflow as tf

    from tf_iclrec import evaluation_batches

    lists, wanted = [], []
    for batch in evaluation_batches(split, "test", max_length=model.max_length):
        scores = np.array(model(batch))
        seen = batch["seen_ids"].numpy()
        rows, columns = np.nonzero(seen)
        scores[rows, seen[rows, columns] - 3] = -np.inf
        best = tf.math.top_k(scores, CUTOFF).indices.numpy()
        lists.append(best + 3)
        wanted.append(batch["target_ids"].numpy())
    return np.concatenate(lists), np.concatenate(wanted)


def ndcg_of_lists(lists: np.ndarray, wanted: np.ndarray) -> float:
    """NDCG@10 of lists ``(users, at least 10)`` of which one item was ``wanted`` ``(users,)``."""
    hit = lists[:, :CUTOFF] == wanted[:, np.newaxis]
    return float((hit / np.log2(np.arange(CUTOFF) + 2)).sum(axis=1).mean())


def compared(output: Path, name: str, peer: str) -> dict:
    """One row of the table."""
    ours = json.loads((output / name / "done.json").read_text())["log"]
    rows = [json.loads(line) for line in (output / peer / "log.jsonl").read_text().splitlines()]
    kept = np.load(output / peer / "best.npz")
    lines = (output / "data" / "ml-100k.txt").read_text().splitlines()
    last = {int(line.split()[0]): int(line.split()[-1]) for line in lines}
    wanted = np.array([last[user] for user in kept["users"]])
    theirs = ndcg_of_lists(kept["recommended"], wanted)
    seconds = next(
        row["cpu"]
        for row in reversed(rows)
        if row["stage"] == "train" and row["epoch"] == int(kept["epoch"])
    )
    done = json.loads((output / peer / "done.json").read_text())
    best = max((row for row in ours if "NDCG@10" in row), key=lambda row: row["valid"])
    row = {
        "RecBole NDCG@10": theirs,
        "RecBole seconds": seconds,
        "RecBole finished": done["stopped early by RecBole"],
        "NDCG@10": best["NDCG@10"],
        "seconds": best["cpu"],
    }
    for reached in ours:
        if reached.get("NDCG@10", 0) >= WANTED_SHARE * theirs:
            row["seconds to 97%"] = reached["cpu"]
            row["without tracing"] = reached["cpu"] - reached["tracing"]
            break
    return row


def show(rows: dict) -> None:
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        cells = [
            ("no", "yes")[value]
            if isinstance(value, bool)
            else format(value, ".4f" if "NDCG" in key else ".1f")
            for key in columns
            for value in [row.get(key, float("nan"))]
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
