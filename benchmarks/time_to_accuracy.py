"""Test accuracy against minutes of training, beside RecTools and RecBole.

    python benchmarks/time_to_accuracy.py Beauty.txt --output DIR --peers DIR [--minutes 30]
                                          [--only NAME ...]

Every program trains by itself for so many minutes (ours until their learning rates have come down,
at most as long), and after each epoch writes the lists of 20 unseen items that it has for every
user; its clock stands meanwhile. Seconds count from the data in memory to the end of the epoch,
first weights, compilation and E-steps included. One function scores all the lists: NDCG@20 of each
user's last item. What is in the output already is not repeated, so a study can be made in pieces:
run the rows to be compared on the same idle cores. The environments of the peers are made where
they are not there yet.

Prints a table with the best epoch up to each minute, which favours whoever has many, and writes
``time_to_accuracy.json`` and ``.png`` (needs matplotlib).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
OURS = {
    "width 128, 3 epochs": {"hidden_dim": 128, "epochs": 3},
    "one encoder": {"epochs": 10},
    "four of width 128": {"num_members": 4, "hidden_dim": 128, "epochs": 13},
}
# The environment and the program of each, and the name it takes.
PEERS = {
    "RecTools, SASRec": ("rectools", "sasrec"),
    "RecTools, eSASRec": ("rectools", "esasrec"),
    "RecBole, SASRec": ("recbole", "sasrec"),
}
PACKAGES = {
    "rectools": ["rectools[torch]==0.19.*"],
    "recbole": ["recbole==1.2.1", "torch==2.13.0", "numpy<2", "setuptools<81"],
}
SHOWN_MINUTES = (1, 2, 3, 5, 10, 15, 20, 30)
K = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequences", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="where lists are kept")
    parser.add_argument("--peers", type=Path, required=True, help="environments of the peers")
    parser.add_argument("--minutes", type=float, default=30, help="of training, each")
    parser.add_argument("--only", nargs="+", choices=[*OURS, *PEERS], default=[*OURS, *PEERS])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        train_ours(options.sequences, OURS[options.one], options.minutes, options.output)
        return
    curves = {}
    wanted = last_items(options.sequences)
    for name in options.only:
        folder = options.output / name.replace(", ", "_").replace(" ", "_")
        if not (folder / "done").is_file():
            # What was interrupted has no state to go on from.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            train(options, name, folder)
            (folder / "done").touch()
        curves[name] = curve(folder, wanted)
    show(curves, options.minutes)
    (options.output / "time_to_accuracy.json").write_text(json.dumps(curves, indent=2) + "\n")
    draw(curves, options.output / "time_to_accuracy.png")


def train(options: argparse.Namespace, name: str, folder: Path) -> None:
    """One program in a process of its own."""
    if name in OURS:
        command = [sys.executable, __file__, options.sequences, "--one", name]
        command += ["--output", folder, "--peers", options.peers]
        command += ["--minutes", str(options.minutes)]
        subprocess.run(command, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
        return
    environment, model = PEERS[name]
    python = options.peers / environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        packages = PACKAGES[environment]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    script = HERE / "peers" / f"{environment}_over_time.py"
    command = [python.absolute(), "-W", "ignore", script, options.sequences.absolute(), model]
    subprocess.run([*command, str(options.minutes), folder.absolute()], check=True)


def train_ours(sequences: Path, settings: dict, minutes: float, output: Path) -> None:
    """Train with the recipe as the library does, and write the lists of each epoch."""
    import keras

    import tf_iclrec
    from tf_iclrec.training.spectral_initialization import start_from_spectral_vectors
    from tf_iclrec.training.train_recommender import new_optimizer

    config = tf_iclrec.make_config(model="iclrec", num_intents=(256,), **settings)
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(sequences))
    started = time.perf_counter()
    keras.utils.set_random_seed(config.training.seed)
    model = tf_iclrec.build_model(config, split.catalogue)
    start_from_spectral_vectors(model.members(), split, seed=config.training.seed)
    batch_size, epochs = config.training.batch_size, config.training.epochs
    batches = tf_iclrec.training_batches(split, batch_size, model.max_length)
    rate, schedule = config.training.learning_rate, config.training.learning_rate_schedule
    model.compile(new_optimizer(model, rate, schedule, epochs * len(batches)))
    clustering = tf_iclrec.IntentClustering(tf_iclrec.sequence_batches(split), verbose=False)

    class Clock(keras.callbacks.Callback):
        """Stands while the lists are made."""

        paused = 0.0

        def on_epoch_end(self, epoch, logs=None):
            seconds = time.perf_counter() - started - self.paused
            np.savez(output / f"epoch_{epoch + 1}.npz", seconds=seconds, **lists(model, split))
            self.paused = time.perf_counter() - started - seconds
            model.stop_training = seconds >= 60 * minutes

    callbacks = [clustering, Clock()]
    model.fit(batches, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)


def lists(model, split) -> dict[str, np.ndarray]:
    """The best unseen items of the users of the test, by raw ids."""
    from tf_iclrec.evaluation.held_out import held_out_answers

    _, best = held_out_answers(model, split, "test", k=K)
    users = split.interactions.users[split.test.users]
    items = split.interactions.items.decode(best)
    return {"users": users.astype(np.int64), "lists": items.astype(np.int64)}


def last_items(sequences: Path) -> dict[int, int]:
    """What each user chose last."""
    rows = (line.split() for line in sequences.read_text().splitlines())
    return {int(user): int(items[-1]) for user, *items in rows}


def curve(folder: Path, wanted: dict[int, int]) -> list[dict[str, float]]:
    """Minutes and NDCG@20 after each epoch. Users without a list count 0."""
    points = []
    for path in folder.glob("epoch_*.npz"):
        kept = np.load(path)
        targets = np.array([wanted[user] for user in kept["users"]])
        hit = kept["lists"][:, :K] == targets[:, np.newaxis]
        gain = (hit / np.log2(np.arange(K) + 2)).sum() / len(wanted)
        points.append({"minutes": float(kept["seconds"]) / 60, f"NDCG@{K}": float(gain)})
    return sorted(points, key=lambda point: point["minutes"])


def show(curves: dict[str, list[dict[str, float]]], minutes: float) -> None:
    """The best of the epochs that ended by each minute."""
    shown = [*(minute for minute in SHOWN_MINUTES if minute < minutes), minutes]
    print(f"Test NDCG@{K} by minutes of training")
    print("| | " + " | ".join(f"{minute:g}" for minute in shown) + " | epochs |")
    print("|---" * (len(shown) + 2) + "|")
    for name, points in curves.items():
        cells = []
        for minute in shown:
            until = [point[f"NDCG@{K}"] for point in points if point["minutes"] <= minute]
            cells.append(f"{max(until):.4f}" if until else "")
        print(f"| {name} | " + " | ".join(cells) + f" | {len(points)} |")


def draw(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, points in curves.items():
        across, up = ([point[of] for point in points] for of in ("minutes", f"NDCG@{K}"))
        axis.plot(across, up, marker=".", label=name)
    axis.set(xlabel="minutes of training, 2 cores", ylabel=f"test NDCG@{K}")
    axis.legend()
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
