"""How far models of ICLRec's published kind are trained, seen in the lengths of their vectors.

    python benchmarks/vector_lengths.py RUN [RUN ...]

For each run: the mean length of the item vectors, and over the training sequences that of the last
states and of the mean states; the mean gain of the last LayerNorm; and the loss of the next item
(one negative per position) without dropout. The authors' checkpoint becomes a run by
`python -m tf_iclrec.convert`.
"""

import argparse

import numpy as np
import tensorflow as tf

import tf_iclrec
from tf_iclrec.objectives.sampled_cross_entropy import sampled_binary_cross_entropy

COLUMNS = ("items", "last states", "mean states", "gain", "loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    paths = parser.parse_args().runs
    print(f"{'':20}" + "".join(f"{name:>13}" for name in COLUMNS))
    for path in paths:
        run = tf_iclrec.load_run(path)
        print(f"{path[-20:]:20}" + "".join(f"{value:13.2f}" for value in row(run)), flush=True)


def row(run: tf_iclrec.Run) -> list[float]:
    """The figures of `COLUMNS`."""
    model, last_block = run.model, run.model.encoder.transformer.blocks[-1]
    encode = tf.function(model.encode, reduce_retracing=True)
    sequences = tf_iclrec.sequence_batches(run.split, max_length=model.max_length)
    vectors = zip(*(encode(batch) for batch in sequences), strict=True)
    states = [np.concatenate(of_kind) for of_kind in vectors]
    lengths = [mean_length(kind) for kind in (model.item_vectors(), *states)]
    gain = float(np.mean(last_block.feed_forward.norm.gamma))
    return [*lengths, gain, next_item_loss(run)]


def mean_length(vectors: np.ndarray) -> float:
    return float(np.linalg.norm(vectors, axis=-1).mean())


def next_item_loss(run: tf_iclrec.Run) -> float:
    """Mean over all positions of all training sequences."""
    encoder = run.model.encoder

    @tf.function(reduce_retracing=True)
    def losses(batch):
        real = batch["target_ids"] != 0
        hidden = tf.boolean_mask(encoder({"item_ids": batch["item_ids"]}), real)
        of_items = [
            encoder.item_vectors(tf.boolean_mask(batch[kind], real))
            for kind in ("target_ids", "negative_ids")
        ]
        return sampled_binary_cross_entropy(hidden, *of_items)

    batches = tf_iclrec.training_batches(run.split, max_length=run.model.max_length, negatives=True)
    return float(np.mean(np.concatenate([losses(batch) for batch in batches])))


if __name__ == "__main__":
    main()
