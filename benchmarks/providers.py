"""What providers, two streams and the contrasts give: a table with paired tests over users.

    python benchmarks/providers.py --runs DIR [--data SOURCE --items FILE] [--seeds N ...]
                                   [--models NAME ...] [--epochs N]

Every model has the same loss (softmax at all real positions) and the same budget. A run that
is in DIR already is not repeated.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import tf_iclrec
from tf_iclrec.evaluation.metrics import NDCG
from tf_iclrec.evaluation.report import ranks_in_split
from tf_iclrec.evaluation.significance import paired_t_test

# Each model as a preset and what differs from it.
MODELS = {
    "sasrec": {"model": "sasrec"},
    "provider_sum": {"model": "provider_sum"},
    "ipsrec_s": {"model": "ipsrec_s"},
    "ipsrec_s without contrast": {"model": "ipsrec_s", "provider_weight": 0.0},
    "ipsrec_c": {"model": "ipsrec_c"},
    "ipsrec_c without contrast": {"model": "ipsrec_c", "provider_weight": 0.0},
    "iclrec": {"model": "iclrec"},
    "iclrec_ips_s": {"model": "iclrec_ips_s"},
    "iclrec_ips_c": {"model": "iclrec_ips_c"},
}
METRICS = ("HR@5", "HR@10", "MRR@5", "MRR@10", "NDCG@5", "NDCG@10", "NDCG@20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder for run directories")
    parser.add_argument("--data", default="completejourney")
    parser.add_argument("--items", default="")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    values = parser.parse_args()
    budget = {
        "data": values.data,
        "items": values.items,
        "epochs": values.epochs,
        "patience": values.patience,
        "batch_size": values.batch_size,
        "learning_rate": values.learning_rate,
    }
    ranks: dict[str, list[np.ndarray]] = {}
    for seed in values.seeds:
        for name in values.models:
            path = values.runs / f"{name.replace(' ', '_')}-{seed}"
            ranks.setdefault(name, []).append(train(path, budget | MODELS[name] | {"seed": seed}))
    report(ranks, values.models)


def train(path: Path, settings: dict) -> np.ndarray:
    """Test ranks of all users under a model, trained unless its run is there."""
    if not (path / "metrics.json").is_file():
        tf_iclrec.fit(tf_iclrec.make_config(**settings), path, resume=(path / "data").is_dir())
    run = tf_iclrec.load_run(path)
    return ranks_in_split(run.model, run.interactions, run.config, "test")


def report(ranks: dict[str, list[np.ndarray]], models: list[str]) -> None:
    """Print mean and standard deviation over seeds, and how each model compares."""
    metrics = {
        name: [tf_iclrec.metrics_of_ranks(seed_ranks) for seed_ranks in of_seeds]
        for name, of_seeds in ranks.items()
    }
    gains = {
        name: np.mean([np.asarray(NDCG(k=10).of_users(r)) for r in of_seeds], axis=0)
        for name, of_seeds in ranks.items()
    }
    base = models[0]
    print(f"| model | {' | '.join(METRICS)} | against {base}, NDCG@10 | p |")
    print("|---|" + "---|" * (len(METRICS) + 2))
    for name in models:
        cells = []
        for metric in METRICS:
            of_seeds = [values[metric] for values in metrics[name]]
            cells.append(f"{np.mean(of_seeds):.4f} ± {np.std(of_seeds):.4f}")
        test = paired_t_test(gains[name], gains[base])
        change = test.difference / gains[base].mean()
        print(f"| {name} | {' | '.join(cells)} | {change:+.1%} | {test.p_value:.2g} |")
    print(json.dumps({name: metrics[name] for name in models}))


if __name__ == "__main__":
    main()
