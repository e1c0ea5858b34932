"""How the time of a training step and memory grow with the catalogue and with the users.

    python benchmarks/growth.py [--items N ...] [--users N ...] [--output growth]

Random logs with popularity after Zipf's law, prepared once and then read from their files. Each
size runs in a process of its own, so that its peak memory is its own. ICLRec with the loss that
the library chooses by itself, in batches of 256. Writes ``growth.json`` and a plot, ``growth.png``
(needs matplotlib).
"""

import argparse
import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from timing import timed

import tf_iclrec
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.training.intent_clustering import clustering_of_training_users
from tf_iclrec.training.train_recommender import new_optimizer

STEPS = 200
BATCH_SIZE = 256
RANKED_USERS = 10_000
LABELS = {
    "step": "s per 1,000 steps",
    "E-step": "E-step, s",
    "ranking": f"ranking {RANKED_USERS:,} users, s",
    "memory": "peak memory, GB",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 1_000_000, 5_000_000])
    parser.add_argument("--output", type=Path, help="name of the results, without a suffix")
    parser.add_argument("--one", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one)))
        return
    first_users, first_items = options.users[0], options.items[0]
    figures = {
        "items": {items: run(first_users, items) for items in options.items},
        "users": {users: run(users, first_items) for users in options.users},
        "users and items": {max(options.items): run(max(options.items), max(options.items))},
    }
    for what, rows in figures.items():
        show(what, rows)
    if options.output:
        options.output.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
        plot(figures, options.output.with_suffix(".png"))


@functools.cache
def run(users: int, items: int) -> dict:
    """Prepare a log and measure in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write_prepared(random_log(users, items), folder)
        command = [sys.executable, __file__, "--one", folder]
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row = json.loads(result.stdout.splitlines()[-1])
    print(f"{users:,} users, {items:,} items: {row}", file=sys.stderr, flush=True)
    return row


def measured(folder: str) -> dict:
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(folder))
    config = tf_iclrec.make_config(
        num_members=1, hidden_dim=64, batch_size=BATCH_SIZE, num_intents=(256,)
    )
    model = tf_iclrec.build_model(config, split.catalogue)
    model.compile(new_optimizer(model, config.training.learning_rate, "cosine", 20 + STEPS))
    clustering = clustering_of_training_users(
        split, model.max_length, config.training.seed, **config.intents
    )
    clustering.set_model(model)
    clustering.on_train_begin()
    estep = timed(clustering.run)
    batches = tf_iclrec.training_batches(
        split, BATCH_SIZE, views=tf_iclrec.ViewRatios(), sampling=model.sampling
    ).repeat()
    times = StepTimes()
    model.fit(batches, steps_per_epoch=20 + STEPS, callbacks=[times], verbose=0, shuffle=False)
    evaluated = tf_iclrec.evaluation_batches(split, "test", max_users=RANKED_USERS)
    ranking = timed(lambda: model.evaluate(evaluated, verbose=0))
    return {
        "loss": "sampled_softmax" if model.sampling else "softmax",
        "step": times.mean() * 1000,
        "E-step": estep,
        "ranking": ranking,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


class StepTimes(keras.callbacks.Callback):
    """Seconds of the last `STEPS` steps; those before compile."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, step, logs=None):
        self.seconds.append(time.perf_counter())

    def mean(self) -> float:
        return (self.seconds[-1] - self.seconds[-STEPS]) / (STEPS - 1)


def random_log(num_users: int, num_items: int) -> tf_iclrec.Interactions:
    """Users with 5 to 20 items; all items are in the vocabulary, whether drawn or not."""
    random = np.random.default_rng(0)
    lengths = random.integers(5, 21, num_users)
    # Inverse of the distribution function of a Zipf law with exponent 1.
    ranks = np.exp(random.random(lengths.sum()) * np.log(num_items)).astype(np.int32)
    return tf_iclrec.Interactions(
        item_ids=ranks + 2,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        users=np.arange(num_users).astype(str).astype(object),
        items=tf_iclrec.Vocabulary(np.arange(num_items).astype(str)),
    )


def show(what: str, rows: dict[int, dict]) -> None:
    print(f"\n| {what} | loss | {' | '.join(LABELS.values())} |")
    print("|---" * (2 + len(LABELS)) + "|")
    for size, row in rows.items():
        print(f"| {size:,} | {row['loss']} | " + " | ".join(f"{row[x]:.1f}" for x in LABELS) + " |")
    if len(rows) > 1:
        exponents = ", ".join(f"{LABELS[x]}: {exponent(rows, x):.2f}" for x in LABELS)
        print(f"\nExponents of the growth with {what}: {exponents}", flush=True)


def exponent(rows: dict[int, dict], figure: str) -> float:
    """Of the power of the size that fits best."""
    sizes, values = np.log(list(rows)), np.log([row[figure] for row in rows.values()])
    return float(np.polyfit(sizes, values, 1)[0])


def plot(figures: dict, path: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, what in zip(axes, ("items", "users"), strict=True):
        rows = figures[what]
        for name, label in LABELS.items():
            values = [row[name] for row in rows.values()]
            axis.loglog(list(rows), values, "o-", label=f"{label} (^{exponent(rows, name):.2f})")
        axis.set_xlabel(what)
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
