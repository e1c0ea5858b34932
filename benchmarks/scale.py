"""What each part costs as users, items and interactions grow, with a model of the costs.

    python benchmarks/scale.py --output DIR [--ask USERS ITEMS LENGTH]

Random logs (`random_log.py`) around one size, three users, items and lengths of a history each, and
a last one that the model is not fitted to. Of each: the raw log is prepared by the command, a model
of width 64 is trained with samples for some steps, all users are clustered and some are ranked, the
SavedModel and the Faiss index are written, and the SavedModel is asked. Each size runs in a process
of its own, so that its peak memory is its own, and is kept in DIR: given again, the command goes
on. With --again all are measured once more, and the smaller of two figures is kept, since what else
runs on a machine makes them larger only. Writes ``scale.md``, the measured figures and the model
with its errors, and what it says for the size that is asked for.
"""

import argparse
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from timing import timed

from tf_iclrec.serving.nearest_neighbours import HNSW_FROM

STEPS = 100
BATCH_SIZE = 256
WIDTH = 64
MAX_LENGTH = 50
RANKED_USERS = 5_000
REQUESTS = 100


@dataclasses.dataclass(frozen=True)
class Size:
    """A log: ``length`` is the mean number of items of a history."""

    users: int
    items: int
    length: int

    @property
    def interactions(self) -> int:
        return self.users * self.length

    @property
    def read(self) -> int:
        """Of a history, by the model."""
        return min(self.length, MAX_LENGTH)

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.items:,} items, {self.length} a user"


MIDDLE = Size(100_000, 30_000, 12)
FITTED = (
    MIDDLE,
    *(dataclasses.replace(MIDDLE, users=users) for users in (30_000, 300_000, 1_000_000)),
    *(dataclasses.replace(MIDDLE, items=items) for items in (10_000, 100_000, 300_000)),
    *(dataclasses.replace(MIDDLE, length=length) for length in (6, 24)),
)
UNSEEN = Size(500_000, 200_000, 18)

Terms = Callable[[Size], dict[str, float]]
# Each figure with its unit, and what it is a sum of: the terms, whose factors are found.
MODEL: dict[str, tuple[str, Terms]] = {
    "preparing": ("s", lambda z: {"1": 1, "interactions": z.interactions}),
    "preparing, memory": (
        "GB",
        lambda z: {"1": 1, "users": z.users, "interactions": z.interactions},
    ),
    "prepared data": (
        "GB",
        lambda z: {"users": z.users, "items": z.items, "interactions": z.interactions},
    ),
    "loading": (
        "s",
        lambda z: {"1": 1, "users": z.users, "items": z.items, "interactions": z.interactions},
    ),
    "1,000 steps": ("s", lambda z: {"1": 1, "read items": z.read}),
    "E-step": ("s", lambda z: {"1": 1, "users": z.users, "read items": z.users * z.read}),
    "ranking": ("s", lambda z: {"1": 1, "items": z.items}),
    "training, memory": (
        "GB",
        lambda z: {"1": 1, "users": z.users, "items": z.items, "read items": z.read},
    ),
    "export": ("s", lambda z: {"1": 1, "items": z.items}),
    "SavedModel": ("GB", lambda z: {"1": 1, "items": z.items}),
    # The approximate one is made for large catalogues only.
    "index": (
        "s",
        lambda z: {"1": 1, "items log items": (z.items >= HNSW_FROM) * z.items * np.log(z.items)},
    ),
    "request": ("ms", lambda z: {"1": 1, "items": z.items}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--ask",
        type=int,
        nargs=3,
        default=(100_000_000, 10_000_000, 100),
        metavar=("USERS", "ITEMS", "LENGTH"),
        help="what the model is asked for",
    )
    parser.add_argument("--again", action="store_true", help="measure what is there once more")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(Size(**options.one))))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    sizes = (*FITTED, UNSEEN)
    figures = {size: run(size, options.output, options.again) for size in sizes}
    text = report(figures, Size(*options.ask))
    (options.output / "scale.md").write_text(text)
    print(text)


def run(size: Size, folder: Path, again: bool) -> dict[str, float]:
    """Measure in a process of its own, or read what was measured."""
    path = folder / f"{size.users}-{size.items}-{size.length}.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    if again or not kept:
        print(f"{size} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--output", folder]
        command += ["--one", json.dumps(dataclasses.asdict(size))]
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(result.stdout.splitlines()[-1])
        kept = {name: min(value, kept.get(name, value)) for name, value in found.items()}
        path.write_text(json.dumps(kept) + "\n")
    return kept


def measured(size: Size) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        raw, prepared = f"{folder}/log.parquet", f"{folder}/prepared"
        # In a process of its own: what making the log takes is not what training takes.
        arguments = f"{raw!r}, {size.users}, {size.items}, {size.length}"
        make = f"from random_log import write_raw_log; write_raw_log({arguments})"
        here = Path(__file__).parent
        subprocess.run([sys.executable, "-c", make], check=True, cwd=here)
        found = prepare(raw, prepared)
        found["prepared data"] = size_of(prepared)
        return found | trained(prepared, Path(folder))


def prepare(raw: str, prepared: str) -> dict[str, float]:
    """Seconds of the command, and its memory."""
    command = [sys.executable, "-m", "tf_iclrec.prepare", "--data", raw, "--output", prepared]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit("The log was not prepared; see above.")
    return {"preparing": seconds, "preparing, memory": usage.ru_maxrss / 1e6}


def trained(prepared: str, folder: Path) -> dict[str, float]:
    import tensorflow as tf
    from step_times import StepTimes

    import tf_iclrec
    from tf_iclrec.serving.nearest_neighbours import export_nearest_neighbours
    from tf_iclrec.training.intent_clustering import clustering_of_training_users
    from tf_iclrec.training.train_recommender import new_optimizer

    start = time.perf_counter()
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(prepared))
    found = {"loading": time.perf_counter() - start}
    config = tf_iclrec.make_config(
        hidden_dim=WIDTH,
        batch_size=BATCH_SIZE,
        num_intents=(256,),
        loss="sampled_softmax",
        item_initialization="random",
        clustered_users=len(split.interactions.users),
    )
    model = tf_iclrec.build_model(config, split.catalogue)
    steps = 20 + STEPS
    model.compile(new_optimizer(model, config.training.learning_rate, "cosine", steps))
    clustering = clustering_of_training_users(
        split, model.max_length, config.training.seed, **config.intents
    )
    clustering.set_model(model)
    clustering.on_train_begin()
    clustering.run()  # Compiles.
    found["E-step"] = timed(clustering.run)
    batches = tf_iclrec.training_batches(
        split, BATCH_SIZE, views=tf_iclrec.ViewRatios(), sampling=model.sampling
    ).repeat()
    times = StepTimes()
    model.fit(batches, steps_per_epoch=steps, callbacks=[times], verbose=0, shuffle=False)
    found["1,000 steps"] = statistics.mean(times.of_last(STEPS)) * 1000
    evaluated = tf_iclrec.evaluation_batches(split, "test", max_users=RANKED_USERS)
    model.evaluate(evaluated, verbose=0)
    found["ranking"] = timed(lambda: model.evaluate(evaluated, verbose=0))
    found["training, memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    exported = folder / "1"
    found["export"] = timed(lambda: tf_iclrec.export_saved_model(model, split, exported))
    found["SavedModel"] = size_of(exported)
    ann = folder / "ann"
    found["index"] = timed(lambda: export_nearest_neighbours(model, split, ann))
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]
    histories = np.random.default_rng(0).choice(split.interactions.items.ids, (REQUESTS + 20, 50))
    asked = [tf.constant(history[None].astype(str)) for history in histories]
    answers = [timed(lambda one=one: serve(history=one)) for one in asked][20:]
    return found | {"request": float(np.median(answers)) * 1000}


def size_of(folder: str | Path) -> float:
    """GB."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e9


def fitted(name: str, figures: dict[Size, dict]) -> dict[str, float]:
    """The factors of a figure's terms, none of them negative: least squares of relative errors."""
    _, terms = MODEL[name]
    rows = [[value / figures[size][name] for value in terms(size).values()] for size in FITTED]
    rows = np.array(rows)
    scales = rows.max(axis=0)
    factors, _ = nnls(rows / scales, np.ones(len(rows)))
    return dict(zip(terms(MIDDLE), factors / scales, strict=True))


def said(name: str, factors: dict[str, float], size: Size) -> float:
    """What the model says."""
    _, terms = MODEL[name]
    return sum(factors[term] * value for term, value in terms(size).items())


def report(figures: dict[Size, dict], asked: Size) -> str:
    names = [f"{name}, {unit}" for name, (unit, _) in MODEL.items()]
    lines = ["| users | items | items a user | " + " | ".join(names) + " |"]
    lines += ["|---" * (len(names) + 3) + "|"]
    for size, row in figures.items():
        cells = [f"{size.users:,}", f"{size.items:,}", f"{size.length}"]
        lines.append(f"| {' | '.join(cells + [f'{row[name]:.3g}' for name in MODEL])} |")
    lines += ["", "| | the model | largest error | of the last size | it said | asked |"]
    lines += ["|---" * 6 + "|"]
    for name, (unit, _) in MODEL.items():
        factors = fitted(name, figures)
        errors = {z: said(name, factors, z) / row[name] - 1 for z, row in figures.items()}
        largest = max((errors[size] for size in FITTED), key=abs)
        terms = [f"{value:.2g}" + f" {term}" * (term != "1") for term, value in factors.items()]
        cells = [f"{name}, {unit}", " + ".join(terms), f"{largest:+.0%}", f"{errors[UNSEEN]:+.0%}"]
        cells += [f"{said(name, factors, UNSEEN):.3g}", f"{said(name, factors, asked):,.3g}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
