"""Seconds per epoch of ICLRec, its E-step and its evaluation.

    python benchmarks/training_speed.py --data Beauty.txt

Trains the published configuration (sampled cross-entropy, one block, 256 intents) on batches
of similar length and, in turn with it, on mixed batches padded to the maximum length, as
public programs make them. Prints the median of the repeats of each, the ratio pair by pair,
the E-step (first and warm-started) and a full-ranking evaluation of all users.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import keras
from timing import timed

import tf_iclrec
from tf_iclrec.config import read_settings

CONFIG = Path(__file__).parent.parent / "pipelines" / "published_beauty.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="sequence file")
    parser.add_argument("--config", default=CONFIG, help="settings (default: the published)")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    config = tf_iclrec.make_config(**read_settings(options.config))
    interactions = tf_iclrec.load_interactions(options.data)
    print(f"{options.data}: {interactions.num_users} users, {interactions.num_items} items")

    keras.utils.set_random_seed(0)
    model = tf_iclrec.build_model(config, interactions.items.size)
    model.compile(keras.optimizers.Adam(config.learning_rate))
    clustering = tf_iclrec.IntentClustering(
        tf_iclrec.sequence_batches(interactions), config.kmeans_iterations, verbose=False
    )
    clustering.set_model(model)
    clustering.on_train_begin()
    clustering.run()  # Compiles; its clusters are discarded.
    model.intents.fitted.assign(0.0)
    first = timed(clustering.run)
    warm = [timed(clustering.run) for _ in range(options.repeats)]

    def epoch(pad: bool) -> Callable[[], object]:
        batches = tf_iclrec.training_batches(
            interactions,
            config.batch_size,
            config.max_length,
            negatives=model.needs_negatives,
            views=tf_iclrec.ViewRatios(config.crop_ratio, config.mask_ratio, config.reorder_ratio),
            pad_to_max_length=pad,
        )
        return lambda: model.fit(batches, verbose=0, shuffle=False)

    by_length, padded = epoch(pad=False), epoch(pad=True)
    by_length()  # Compiles.
    pairs = [(timed(by_length), timed(padded)) for _ in range(options.repeats)]

    test = tf_iclrec.evaluation_batches(interactions, "test")
    model.evaluate(test, verbose=0)
    evaluations = [timed(lambda: model.evaluate(test, verbose=0)) for _ in range(options.repeats)]

    rows = [
        ("M-step, one epoch, batches by length", [pair[0] for pair in pairs]),
        ("M-step, one epoch, padded to the maximum", [pair[1] for pair in pairs]),
        ("E-step, first", [first]),
        ("E-step, warm-started", warm),
        ("evaluation of all users", evaluations),
    ]
    print(f"{'':<42}{'median':>8}{'min':>8}{'max':>8}  seconds")
    for label, seconds in rows:
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        print(f"{label:<42}" + "".join(f"{figure:8.2f}" for figure in figures))
    ratios = [padded / by_length for by_length, padded in pairs]
    print(f"padded / by length: {statistics.median(ratios):.2f} (median of {len(ratios)} pairs)")


if __name__ == "__main__":
    main()
