"""What an epoch of each model costs, as a multiple of SASRec's in the same run.

    python benchmarks/encoder_cost.py --data Beauty.txt --items Beauty.tsv

All models have softmax at all real positions, two blocks and width 64. The models take turns;
the ratio is the median over the rounds.
"""

import argparse
import statistics

import keras
from timing import timed

import tf_iclrec

MODELS = (
    "sasrec",
    "provider_sum",
    "ipsrec_s",
    "ipsrec_c",
    "iclrec",
    "iclrec_ips_s",
    "iclrec_ips_c",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--items", default="")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    log = tf_iclrec.load_interactions(options.data)
    if options.items:
        log = log.with_item_providers(tf_iclrec.read_item_attribute(options.items))
    split = tf_iclrec.leave_one_out(log)
    epochs = {name: epoch(name, split, options.batch_size) for name in options.models}
    for run in epochs.values():
        run()  # Compiles.
    rounds = [{name: timed(run) for name, run in epochs.items()} for _ in range(options.repeats)]
    print(f"{options.data}, batches of {options.batch_size}, {options.repeats} rounds\n")
    print("| model | seconds per epoch | times SASRec |\n|---|---|---|")
    for name in epochs:
        seconds = statistics.median(times[name] for times in rounds)
        ratio = statistics.median(times[name] / times["sasrec"] for times in rounds)
        print(f"| {name} | {seconds:.2f} | {ratio:.2f} |")


def epoch(name: str, split: tf_iclrec.Split, batch_size: int):
    """A function that trains a model for one epoch; the E-step is not part of it."""
    intents = {"num_intents": (256,)} if name.startswith("iclrec") else {}
    config = tf_iclrec.make_config(model=name, hidden_dim=64, **intents)
    model = tf_iclrec.build_model(config, split.catalogue)
    model.compile(keras.optimizers.Adam(1e-3))
    views = tf_iclrec.ViewRatios() if model.needs_views else None
    batches = tf_iclrec.training_batches(split, batch_size, views=views)
    return lambda: model.fit(batches, verbose=0, shuffle=False)


if __name__ == "__main__":
    main()
