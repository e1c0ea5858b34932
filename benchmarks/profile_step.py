"""Where the time of a training step goes, by kind of operation.

    python benchmarks/profile_step.py --data Beauty.txt [--model iclrec]

One thread an operation and one operation at a time, so that the shares add up to the whole.
"""

import argparse
import collections
import os
import tempfile
from pathlib import Path

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import keras
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import tf_iclrec

STEPS = 30
# By the beginning of the operation's name.
KINDS = {
    "matrix products": ("MatMul", "_FusedMatMul", "BatchMatMul", "_MklMatMul"),
    "exponentials, sums and maxima": ("Exp", "Sum", "Max", "Softmax", "Log", "RealDiv"),
    "random numbers": ("Stateless", "Random", "Philox"),
    "rows looked up and added up": ("Gather", "ResourceGather", "TensorScatter", "Unsorted"),
    "copies": ("Concat", "Split", "Transpose", "Slice", "StridedSlice", "Pack", "Unpack", "Tile"),
    "optimizer": ("Assign", "ResourceApply", "ResourceScatter", "ReadVariable"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="sequence file")
    parser.add_argument("--model", default="sasrec")
    options = parser.parse_args()
    split = tf_iclrec.leave_one_out(tf_iclrec.load_interactions(options.data))
    config = tf_iclrec.make_config(model=options.model, loss="softmax", batch_size=256)
    model = tf_iclrec.build_model(config, split.catalogue)
    model.compile(keras.optimizers.Adam(config.training.learning_rate))
    views = tf_iclrec.ViewRatios() if model.needs_views else None
    batches = tf_iclrec.training_batches(split, config.training.batch_size, views=views)
    model.fit(batches, steps_per_epoch=STEPS, verbose=0, shuffle=False)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            model.fit(batches, steps_per_epoch=STEPS, verbose=0, shuffle=False)
        (trace,) = Path(folder).rglob("*.xplane.pb")
        seconds = seconds_by_operation(trace)
    total = sum(seconds.values())
    by_kind = collections.Counter()
    for operation, value in seconds.items():
        by_kind[kind_of(operation)] += value
    print(f"{options.model}: {total / STEPS * 1e3:.1f} ms of operations a step")
    for kind, value in by_kind.most_common():
        members = [name for name in seconds if kind_of(name) == kind]
        most = sorted(members, key=seconds.get, reverse=True)[:4]
        details = ", ".join(f"{name} {seconds[name] / total:.1%}" for name in most)
        print(f"{value / total:7.1%}  {kind:<32} {details}")


def seconds_by_operation(trace: Path) -> collections.Counter:
    """Seconds spent in operations of each type, those they call left out."""
    space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    (host,) = (plane for plane in space.planes if plane.name == "/host:CPU")
    seconds = collections.Counter()
    for line in host.lines:
        if not line.name.startswith("tf_Compute"):
            continue
        events = [
            (event.offset_ps, -event.duration_ps, host.event_metadata[event.metadata_id].name)
            for event in line.events
        ]
        open_until: list[tuple[int, str]] = []
        for start, minus_duration, name in sorted(events):
            while open_until and open_until[-1][0] <= start:
                open_until.pop()
            if ":" not in name:
                continue
            operation = name.rsplit(":", 1)[1]
            if open_until:
                seconds[open_until[-1][1]] += minus_duration / 1e12
            seconds[operation] -= minus_duration / 1e12
            open_until.append((start - minus_duration, operation))
    return seconds


def kind_of(operation: str) -> str:
    return next((kind for kind, names in KINDS.items() if operation.startswith(names)), "the rest")


if __name__ == "__main__":
    main()
