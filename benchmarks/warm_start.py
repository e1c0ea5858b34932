"""A training that goes on from an older one, against training anew on the newer log.

    python benchmarks/warm_start.py --runs DIR [--data SOURCE] [--dates D1 D2] [--seeds 0 1 2]

One model is trained on what was before D1. Then the log has grown to D2: one model is trained on
it from the start, another from the weights of the first for fewer epochs. Both are validated and
tested on what came after D2. A run that is there is not repeated.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

import tf_iclrec

METRIC = "NDCG@20"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the run directories")
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--dates", nargs=2, default=("2017-09-01", "2017-10-01"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--warm-epochs", type=int, nargs="+", default=[3])
    values = parser.parse_args()
    first, second = values.dates
    rows: dict[str, list] = {}
    for seed in values.seeds:
        settings = {"data": values.data, "num_members": 1, "epochs": values.epochs, "seed": seed}
        older = values.runs / f"{first}-{seed}"
        train(older, settings | {"split": f"time:{first}", "split_until": second})
        newer = settings | {"split": f"time:{second}", "split_until": ""}
        anew = train(values.runs / f"{second}-{seed}", newer)
        rows.setdefault("trained anew", []).append(anew)
        for epochs in values.warm_epochs:
            warm = newer | {"init_from": str(older), "epochs": epochs}
            label = f"warm start, {epochs} epochs"
            result = train(values.runs / f"{second}-{seed}-warm-{epochs}", warm)
            rows.setdefault(label, []).append(result)
    show(rows)


def train(output: Path, settings: dict) -> tuple[float, float, float]:
    """Test metric, seconds in epochs and seconds of everything of a run, which is made if it is
    not there."""
    notes = output.with_suffix(".json")
    if not notes.is_file():
        start = time.perf_counter()
        tf_iclrec.fit(tf_iclrec.make_config(**settings), output, overwrite=True)
        notes.write_text(json.dumps({"seconds": time.perf_counter() - start}))
    metrics = json.loads((output / "metrics.json").read_text())
    with (output / "history.csv").open() as file:
        in_epochs = sum(float(row["seconds"]) for row in csv.DictReader(file))
    return metrics["test"][METRIC], in_epochs, json.loads(notes.read_text())["seconds"]


def show(rows: dict[str, list]) -> None:
    """Means over the seeds, and in relation to training anew."""
    base = np.mean(rows["trained anew"], axis=0)
    print(f"\n| | test {METRIC} | of it | each seed | epochs | of it | in all | of it |")
    print("|---" * 8 + "|")
    for label, results in rows.items():
        mean, each = np.mean(results, axis=0), " ".join(f"{one[0]:.4f}" for one in results)
        ratio = mean / base
        print(
            f"| {label} | {mean[0]:.4f} | {ratio[0]:.1%} | {each} | {mean[1]:.0f} s | "
            f"{ratio[1]:.0%} | {mean[2]:.0f} s | {ratio[2]:.0%} |"
        )


if __name__ == "__main__":
    main()
