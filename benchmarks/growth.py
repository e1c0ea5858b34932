"""How the time of a training step and memory grow with the catalogue and with the users.

    python benchmarks/growth.py [--items N ...] [--users N ...]

Random logs with popularity after Zipf's law. Each size runs in a process of its own, so that its
peak memory is its own. SASRec with the loss that the library chooses by itself.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

import tf_iclrec
from tf_iclrec.models.presets import next_item_loss
from tf_iclrec.training.fit import new_optimizer

STEPS = 200
BATCH_SIZE = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--ranked-users", type=int, default=10_000)
    parser.add_argument("--one", type=int, nargs=2, metavar=("USERS", "ITEMS"))
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(*options.one, options.ranked_users)))
        return
    base = options.users[0]
    show("items", [(items, run(base, items)) for items in options.items])
    base = options.items[0]
    show("users", [(users, run(users, base)) for users in options.users])


def run(users: int, items: int) -> dict:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--one", str(users), str(items)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def show(name: str, rows: list[tuple[int, dict]]) -> None:
    print(f"\n| {name} | loss | s per 1,000 steps | ranking 10,000 users, s | peak memory, GB |")
    print("|---|---|---|---|---|")
    for size, row in rows:
        figures = (row["step"] * 1000, row["ranking"], row["memory"])
        print(f"| {size:,} | {row['loss']} | " + " | ".join(f"{x:.1f}" for x in figures) + " |")
    sizes, steps = (np.log([size for size, _ in rows]), np.log([row["step"] for _, row in rows]))
    if len(rows) > 1:
        slope = np.polyfit(sizes, steps, 1)[0]
        print(f"\nA step grows as the number of {name} to the power of {slope:.2f}.", flush=True)


def measured(num_users: int, num_items: int, ranked_users: int) -> dict:
    log = random_log(num_users, num_items)
    config = tf_iclrec.make_config(model="sasrec", batch_size=BATCH_SIZE)
    model = tf_iclrec.build_model(config, log.items.size)
    model.compile(new_optimizer(model, config))
    batches = tf_iclrec.training_batches(log, BATCH_SIZE, sampling=model.sampling).repeat()
    model.fit(batches, steps_per_epoch=20, verbose=0, shuffle=False)  # Compiles.
    start = time.perf_counter()
    model.fit(batches, steps_per_epoch=STEPS, verbose=0, shuffle=False)
    step = (time.perf_counter() - start) / STEPS
    some = log.select(np.arange(log.num_actions) < log.offsets[min(ranked_users, num_users)])
    evaluated = tf_iclrec.evaluation_batches(some.with_vocabulary(log.items), "test")
    start = time.perf_counter()
    model.evaluate(evaluated, verbose=0)
    return {
        "loss": next_item_loss(config, log.items.size),
        "step": step,
        "ranking": time.perf_counter() - start,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


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


if __name__ == "__main__":
    main()
