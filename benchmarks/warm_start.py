"""A training that goes on from an older one, against training anew on the newer log.

    python benchmarks/warm_start.py --runs DIR [--data SOURCE] [--model NAME] [--dates D1 D2]
        [--seeds 0 1 2]

One model is trained on what was before D1. Then the log has grown to D2: one model is trained on
it from the start, another from the weights of the first for fewer epochs. Both are validated and
tested on what came after D2, the test with all successive targets, as it has the least noise. Times
are those of the processor. A run that is there is not repeated.
"""

import argparse
import json
import time
from pathlib import Path
from unittest import mock

import keras
import numpy as np

import tf_iclrec
from tf_iclrec.evaluation.held_out import evaluate_held_out

METRIC = "NDCG@20"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the run directories")
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--model", default="iclrec")
    parser.add_argument("--dates", nargs=2, default=("2017-09-01", "2017-10-01"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--warm-epochs", type=int, nargs="+", default=[2])
    values = parser.parse_args()
    first, second = values.dates
    log = tf_iclrec.load_interactions(values.data)
    split = tf_iclrec.by_time(log, second, targets="all")
    print(split.summary())
    rows: dict[str, list] = {}
    for seed in values.seeds:
        settings = {"model": values.model, "data": values.data, "hidden_dim": 128}
        settings |= {"epochs": values.epochs, "seed": seed}
        older = values.runs / f"{first}-{seed}"
        train(older, settings | {"split": f"time:{first}", "split_until": second}, None)
        newer = settings | {"split": f"time:{second}", "split_until": ""}
        anew = train(values.runs / f"{second}-{seed}", newer, split)
        rows.setdefault("trained anew", []).append(anew)
        for epochs in values.warm_epochs:
            warm = newer | {"init_from": str(older), "epochs": epochs}
            label = f"warm start, {epochs} epochs"
            result = train(values.runs / f"{second}-{seed}-warm-{epochs}", warm, split)
            rows.setdefault(label, []).append(result)
    show(rows)


def train(output: Path, settings: dict, split: tf_iclrec.Split | None) -> tuple[float, ...]:
    """Test metric of a run, which is made if it is not there, seconds of its training and of
    everything, from reading to the export."""
    notes = output.with_suffix(".json")
    if not notes.is_file():
        start, in_training, fit = time.process_time(), [], keras.Model.fit

        def timed(*arguments, **others):
            before = time.process_time()
            result = fit(*arguments, **others)
            in_training.append(time.process_time() - before)
            return result

        with mock.patch.object(keras.Model, "fit", timed):
            tf_iclrec.fit(tf_iclrec.make_config(**settings), output, overwrite=True)
        seconds = [sum(in_training), time.process_time() - start]
        notes.write_text(json.dumps(seconds))
    if split is None:
        return ()
    model = tf_iclrec.load_run(output).model
    metric = evaluate_held_out(model, split, ("test",))["test"][METRIC]
    return metric, *json.loads(notes.read_text())


def show(rows: dict[str, list]) -> None:
    """Means over the seeds, and in relation to training anew."""
    base = np.nanmean(rows["trained anew"], axis=0)
    print(f"\n| | test {METRIC} | of it | each seed | training | of it | in all | of it |")
    print("|---" * 8 + "|")
    for label, results in rows.items():
        mean, each = np.nanmean(results, axis=0), " ".join(f"{one[0]:.4f}" for one in results)
        ratio = mean / base
        print(
            f"| {label} | {mean[0]:.4f} | {ratio[0]:.1%} | {each} | {mean[1]:.0f} s | "
            f"{ratio[1]:.0%} | {mean[2]:.0f} s | {ratio[2]:.0%} |"
        )


if __name__ == "__main__":
    main()
