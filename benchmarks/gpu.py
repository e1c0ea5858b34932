"""Speed of training on a GPU, beside the processor of the same machine.

    python benchmarks/gpu.py --data Beauty.txt --json gpu.json [--repeats 3]

Each row is measured in a process of its own, as in `speed.py`: seconds to the end of the first
step, per epoch, for the E-step and for an evaluation of all users, and the most memory of the GPU
that was in use at a time. The ways to compute: the processor alone, the GPU in float32, in
bfloat16, and with XLA.
"""

import argparse
import json
import sys
from pathlib import Path

from speed import in_process

RECIPE = {"model": "iclrec", "num_intents": (256,)}
MODELS = {
    "recipe, one encoder of width 128": {"settings": RECIPE | {"hidden_dim": 128}},
    "recipe, four encoders of width 128": {
        "settings": RECIPE | {"num_members": 4, "hidden_dim": 128}
    },
    "ICLRec as published": {"settings": {"model": "iclrec_published"}, "pad": True},
}
WAYS = {
    "processor": {"processor": True},
    "GPU": {},
    "GPU, bfloat16": {"settings": {"mixed_precision": True}},
    "GPU, XLA": {"jit": True},
}
COLUMNS = ("first step", "epoch", "pipeline", "E-step", "evaluation", "GPU memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="sequence file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    options = parser.parse_args()
    rows = {}
    for name in options.models:
        for way in options.ways:
            what = MODELS[name] | WAYS[way]
            what["settings"] = MODELS[name]["settings"] | WAYS[way].get("settings", {})
            rows[f"{name}: {way}"] = row = in_process(options, **what)
            print(f"{name}: {way}: {row['epoch']:.2f} s an epoch", file=sys.stderr, flush=True)
            if options.json:  # After each row: a later one may fail.
                options.json.write_text(json.dumps(rows, indent=2) + "\n")
    print("| | " + " | ".join(f"{name}, s" for name in COLUMNS[:-1]) + " | GPU memory, GB |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, row in rows.items():
        shown = [f"{row[key]:.2f}" if key in row else "" for key in COLUMNS]
        print(f"| {name} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
