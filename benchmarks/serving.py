"""Latency of the SavedModel, time to load it, and time to recommend to all users of a log.

    python benchmarks/serving.py RUN [--peer PYTHON --data Beauty.txt]

RUN is a run directory. A second model has ``--items`` items and is not trained: speed does not
depend on that. With PYTHON of an environment with RecTools, that library recommends to the same
users in turn with ours (see ``peers/rectools_recommend.py``).
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from timing import timed

import tf_iclrec
from tf_iclrec.serving.recommendation_file import in_chunks, write_recommendations

HISTORY_LENGTH = 50
K = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer", metavar="PYTHON", help="of an environment with RecTools")
    parser.add_argument("--data", help="the sequence file that RUN was trained on, for the peer")
    options = parser.parse_args()
    run = tf_iclrec.load_run(options.run)
    print("| serving_default, one history of 50 items | load, s | p50, ms | p99, ms |")
    print("|---|---|---|---|")
    served(run.model, run.split, options.requests)
    served(*untrained(options.items), options.requests)
    ours, theirs = [], []
    recommend = recommendation(run)
    recommend()  # Compiles.
    for _ in range(options.repeats):
        ours.append(timed(recommend))
        if options.peer:
            theirs.append(peer(options.peer, options.data))
    print(f"\n| all {run.interactions.num_users} users, k={K} | median, s | min | max |")
    print("|---|---|---|---|")
    for name, seconds in {"raw ids to Parquet": ours, "RecTools, to a frame": theirs}.items():
        if seconds:
            values = (statistics.median(seconds), min(seconds), max(seconds))
            print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    if theirs:
        ratios = [peer / own for own, peer in zip(ours, theirs, strict=True)]
        print(f"\nRecTools / ours, pair by pair: {statistics.median(ratios):.1f} (median)")


def served(model, split: tf_iclrec.Split, num_requests: int) -> None:
    """Export, load and ask; print a row."""
    log = split.interactions
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1"
        tf_iclrec.export_saved_model(model, split, path)
        start = time.perf_counter()
        loaded = tf.saved_model.load(str(path))
        seconds = time.perf_counter() - start
        serve = loaded.signatures["serving_default"]
        random = np.random.default_rng(0)
        histories = random.choice(log.items.ids, (num_requests + 20, HISTORY_LENGTH)).astype(str)
        times = [timed(lambda h=h: serve(history=tf.constant(h[None]))) for h in histories][20:]
        p50, p99 = np.percentile(times, [50, 99]) * 1e3
        print(f"| {log.num_items} items | {seconds:.2f} | {p50:.2f} | {p99:.2f} |", flush=True)


def untrained(num_items: int):
    """A model and a split of a log in which every item occurs."""
    rows = np.arange(num_items).astype(str).reshape(-1, 100)
    log = tf_iclrec.Interactions.from_columns(
        np.repeat(np.arange(len(rows)), 100), np.arange(len(rows)).astype(str), rows.ravel()
    )
    config = tf_iclrec.make_config(model="sasrec", hidden_dim=64)
    split = tf_iclrec.leave_one_out(log)
    return tf_iclrec.build_model(config, split.catalogue), split


def recommendation(run: tf_iclrec.Run):
    """A function that recommends to all users, from their raw ids to a file."""
    recommender = tf_iclrec.BatchRecommender(run.model, run.split)
    users = run.interactions.users.tolist()

    def recommend() -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_recommendations(recommender, in_chunks(users), Path(folder) / "recs.parquet", K)

    return recommend


def peer(python: str, data: str) -> float:
    script = Path(__file__).parent / "peers" / "rectools_recommend.py"
    command = [python, str(script), data, str(K), "1"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])[0]


if __name__ == "__main__":
    main()
