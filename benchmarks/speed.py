"""Speed of training, beside public programs and beside the matrix products alone.

    python benchmarks/speed.py --data Beauty.txt --json speed.json [--peers DIR]

Each row is measured in a process of its own: seconds to import the library, to the end of the
first step, per epoch (median of the repeats), real tokens (next items) learnt from per second,
the E-step, the evaluation of all users, the input pipeline alone, and the peak memory. The floor
is the time of the matrix products of an epoch and nothing else, on the same cores, counted from
the shapes of the batches (see `floor.py`).

With ``--peers``, RecTools and RecBole train SASRec of the same size on the same data, in
environments that are made in DIR where they are not there yet. Their epochs take minutes: some of
the steps are measured, for an epoch's number of them.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from timing import timed

HERE = Path(__file__).parent
SIZES = {
    "hidden_dim": 64,
    "num_blocks": 2,
    "num_heads": 2,
    "max_length": 50,
    "batch_size": 256,
}
# What is measured: settings of the model, and deviations in how it runs.
ROWS = {
    "SASRec, softmax": {"model": "sasrec", "loss": "softmax"} | SIZES,
    "SASRec, sampled softmax": {"model": "sasrec", "loss": "sampled_softmax"} | SIZES,
    "SASRec, one negative": {"model": "sasrec", "loss": "sampled"} | SIZES,
    "ICLRec, softmax": {"model": "iclrec", "loss": "softmax", "num_intents": (256,)} | SIZES,
    "ICLRec, published": {"model": "iclrec_published"},
}
# The defaults against what they were chosen from.
CHOICES = {
    "padded to 50": {"pad": True},
    "batches of exactly sorted lengths": {"jitter": 0.0},
    "lengths sorted loosely (factor up to 2)": {"jitter": 1.0},
    "one thread an operation, two operations": {"threads": (1, 2)},
    "two threads an operation, one operation": {"threads": (2, 1)},
}
PEERS = {
    "RecTools": ("rectools_training.py", ["rectools[torch]==0.19.*"], 8),
    "RecBole": (
        "recbole_training.py",
        ["recbole==1.2.1", "torch==2.13.0", "numpy<2", "setuptools<81"],
        20,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="sequence file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", type=Path, metavar="DIR", help="environments of the peers")
    parser.add_argument("--choices", action="store_true", help="also other ways to run SASRec")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--on-demand", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.on_demand:
        train_on_demand(options.data, json.loads(options.on_demand))
        return
    if options.one:
        print(json.dumps(measured(options.data, options.repeats, **json.loads(options.one))))
        return
    rows, peers = {}, {}
    for name, settings in ROWS.items():
        rows[name] = in_process(options, settings=settings)
        show_row(name, rows[name])
        if options.peers and name == "SASRec, softmax":
            peers = {peer: run_peer(options, peer) for peer in PEERS}
    if options.choices:
        for name, way in CHOICES.items():
            name = f"SASRec, softmax: {name}"
            rows[name] = in_process(options, settings=ROWS["SASRec, softmax"], **way)
            show_row(name, rows[name])
    show(rows, peers)
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "peers": peers}, indent=2) + "\n")


def in_process(options, **what) -> dict:
    """`measured` in a new process."""
    script = HERE / "speed.py"
    command = [sys.executable, script, "--data", options.data, "--one", json.dumps(what)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    for variable, threads in zip(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), what.get("threads", ()), strict=False
    ):
        environment[variable] = str(threads)
    if what.get("processor"):
        environment["CUDA_VISIBLE_DEVICES"] = "-1"
    command += ["--repeats", str(options.repeats)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(result.stdout.splitlines()[-1])


def measured(
    data: str,
    repeats: int,
    settings: dict,
    pad: bool = False,
    jitter: float | None = None,
    threads: tuple[int, ...] = (),
    jit: bool = False,
    processor: bool = False,
) -> dict:
    """Figures of one row; see the module's head.

    Args:
        data: Sequence file.
        repeats: How often each figure is measured.
        settings: Of the model.
        pad: Whether batches of mixed lengths are padded to the maximum.
        jitter: How loosely sequences are sorted by length; by default as the library does it.
        threads: Threads of an operation, and operations at a time; set by `in_process`.
        jit: Whether XLA compiles the step.
        processor: Whether a GPU is left alone; set by `in_process`.
    """
    start = time.perf_counter()
    import tensorflow as tf

    import tf_iclrec
    from tf_iclrec.data import epochs

    imported = time.perf_counter() - start
    if jitter is not None:
        epochs._LENGTH_JITTER = jitter
    config, split, model, batches = what_trains(data, settings, pad, jit)
    model.fit(batches, steps_per_epoch=1, verbose=0, shuffle=False)
    result = {"import": imported, "first step": time.perf_counter() - start}
    if model.needs_intents:
        clustering = tf_iclrec.IntentClustering(tf_iclrec.sequence_batches(split), verbose=False)
        clustering.set_model(model)
        clustering.on_train_begin()
        clustering.run()  # Compiles; its clusters are discarded.
        model.intents.fitted.assign(0.0)
        result["first E-step"] = timed(clustering.run)
        result["E-step"] = statistics.median(timed(clustering.run) for _ in range(repeats))

    def epoch():
        model.fit(batches, verbose=0, shuffle=False)

    epoch()  # Compiles what the first step did not.
    epochs = [timed(epoch) for _ in range(repeats)]
    shapes = [
        (*batch["item_ids"].shape, int((batch["target_ids"].numpy() > 0).sum()))
        for batch in batches
    ]
    tokens = sum(positions for _, _, positions in shapes)
    pipeline = statistics.median(timed(lambda: list(batches)) for _ in range(repeats))
    test = tf_iclrec.evaluation_batches(split, "test")
    model.evaluate(test, verbose=0)
    evaluation = statistics.median(
        timed(lambda: model.evaluate(test, verbose=0)) for _ in range(repeats)
    )
    result |= {
        "epoch": statistics.median(epochs),
        "epochs": epochs,
        "tokens per second": tokens / statistics.median(epochs),
        "real share": tokens / sum(users * time for users, time, _ in shapes),
        "pipeline": pipeline,
        "evaluation": evaluation,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    for device in tf.config.list_logical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info(device.name)["peak"]
        result |= {"GPU memory": peak / 1e9}
    if settings.get("loss") == "softmax":
        from floor import products

        run = products(shapes, 3 if model.needs_views else 1, split.catalogue.num_items, config)
        run()
        result["floor"] = statistics.median(timed(run) for _ in range(repeats))
    return result


def what_trains(data: str, settings: dict, pad: bool = False, jit: bool = False) -> tuple:
    """Configuration, split, compiled model and batches of a row."""
    import keras

    import tf_iclrec

    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(data))
    config = tf_iclrec.make_config(
        **{name: tuple(x) if isinstance(x, list) else x for name, x in settings.items()}
    )
    model = tf_iclrec.build_model(config, split.catalogue)
    model.compile(keras.optimizers.Adam(config.training.learning_rate), jit_compile=jit)
    batches = tf_iclrec.training_batches(
        split,
        config.training.batch_size,
        config.encoder.max_length,
        negatives=model.needs_negatives,
        views=tf_iclrec.ViewRatios() if model.needs_views else None,
        sampling=model.sampling,
        pad_to_max_length=pad,
    )
    return config, split, model, batches


def train_on_demand(data: str, settings: dict) -> None:
    """Train an epoch per line of standard input and say its seconds; for `by_turns.py`."""
    *_, model, batches = what_trains(data, settings)
    model.fit(batches, verbose=0, shuffle=False)  # Compiles.
    print("ready", flush=True)
    for _ in sys.stdin:
        print(timed(lambda: model.fit(batches, verbose=0, shuffle=False)), flush=True)


def run_peer(options, name: str) -> dict:
    script, packages, steps = PEERS[name]
    environment = options.peers / name.lower()
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    command = [python.absolute(), HERE / "peers" / script, options.data, str(steps)]
    runs = []
    for _ in range(options.repeats):
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        runs.append(json.loads(output.splitlines()[-1]))
        print(f"{name}: {runs[-1]['epoch']:.0f} s an epoch", file=sys.stderr, flush=True)
    epochs = [run["epoch"] for run in runs]
    return {
        "epoch": statistics.median(epochs),
        "epochs": epochs,
        "memory": max(run["memory"] for run in runs),
    }


def show_row(name: str, row: dict) -> None:
    print(f"{name}: {row['epoch']:.2f} s an epoch", file=sys.stderr, flush=True)


def show(rows: dict, peers: dict) -> None:
    columns = {
        "epoch, s": "epoch",
        "real tokens/s": "tokens per second",
        "floor, s": "floor",
        "real share": "real share",
        "pipeline, s": "pipeline",
        "E-step, s": "E-step",
        "evaluation, s": "evaluation",
        "import, s": "import",
        "to the first step, s": "first step",
        "memory, GB": "memory",
    }
    print("| | " + " | ".join([*columns, "floor / epoch"]) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for name, row in rows.items():
        cells = [row.get(key) for key in columns.values()]
        cells.append(row["floor"] / row["epoch"] if "floor" in row else None)
        shown = ["" if x is None else f"{x:,.0f}" if x >= 1000 else f"{x:.2f}" for x in cells]
        print(f"| {name} | " + " | ".join(shown) + " |")
    ours = rows["SASRec, softmax"]["epoch"]
    for name, row in peers.items():
        print(
            f"\n{name}, SASRec: {row['epoch']:.0f} s an epoch ({min(row['epochs']):.0f} to "
            f"{max(row['epochs']):.0f}), {row['memory']:.2f} GB; ours is "
            f"{row['epoch'] / ours:.1f} times as fast."
        )


if __name__ == "__main__":
    main()
