"""What providers, two streams and the contrasts give: a table with paired tests over users.

    python benchmarks/providers.py --runs DIR [--data SOURCE --items FILE] [--seeds N ...]
                                   [--models NAME ...] [--epochs N]

Every model has the same loss (softmax at all real positions), width 64 and the same budget. A run
that is in DIR already is not repeated.
"""

import argparse
from pathlib import Path

from comparison import compare

# Each model as a preset and what differs from it.
MODELS = {
    "sasrec": {"model": "sasrec"},
    "provider_sum": {"model": "provider_sum"},
    "ipsrec_s": {"model": "ipsrec_s"},
    "ipsrec_s without contrast": {"model": "ipsrec_s", "provider_weight": 0.0},
    "ipsrec_c": {"model": "ipsrec_c"},
    "ipsrec_c without contrast": {"model": "ipsrec_c", "provider_weight": 0.0},
    "iclrec": {"model": "iclrec", "num_intents": (256,)},
    "iclrec_ips_s": {"model": "iclrec_ips_s", "num_intents": (256,)},
    "iclrec_ips_c": {"model": "iclrec_ips_c", "num_intents": (256,)},
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
        "hidden_dim": 64,
        "epochs": values.epochs,
        "patience": values.patience,
        "batch_size": values.batch_size,
        "learning_rate": values.learning_rate,
    }
    models = {name: MODELS[name] for name in values.models}
    compare(models, budget, values.seeds, values.runs, "test", METRICS, "NDCG@10")


if __name__ == "__main__":
    main()
