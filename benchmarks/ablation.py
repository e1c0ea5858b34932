"""What each ingredient of the recipe gives on validation data, with paired tests over users.

    python benchmarks/ablation.py Beauty.txt --runs DIR [--items Beauty.tsv] [--seeds N ...]
                                  [--rows NAME ...] [--epochs N]

Every row differs from the recipe in one thing. Rows are of one encoder of width 128, not of an
ensemble, but for the last ones. There is none of prefixes as examples of their own: with relative
positions a place is encoded as the prefix that ends there. A run that is in DIR already is not
repeated.
"""

import argparse
from pathlib import Path

from comparison import compare

ROWS = {
    "recipe, one encoder": {},
    "random start": {"item_initialization": "random"},
    "next item alone": {"horizon": 1},
    "dot products": {"score_temperature": 0.0},
    "constant learning rate": {"learning_rate_schedule": "constant"},
    "embedded positions": {"relative_positions": False},
    "without ICL": {"intent_weight": 0.0},
    "ICL without FNM": {"intent_fnm": False},
    "ICL with augmented views": {"intent_views": "augmented"},
    "with SeqCL": {"sequence_weight": 0.1},
    "with SeqCL and its FNM": {"sequence_weight": 0.1, "sequence_fnm": True},
    "with providers": {"model": "iclrec_provider_sum"},
    "with providers and categories": {
        "model": "iclrec_provider_sum",
        "item_attributes": "categories",
    },
    "two encoders": {"num_members": 2},
    "three encoders": {"num_members": 3},
    "three encoders without ICL": {"num_members": 3, "intent_weight": 0.0},
}
METRICS = ("HR@5", "HR@20", "NDCG@5", "NDCG@20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sequences")
    parser.add_argument("--runs", type=Path, required=True, help="folder for run directories")
    parser.add_argument("--items", default="", help="for the rows with providers")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--epochs", type=int, default=8)
    values = parser.parse_args()
    common = {"data": values.sequences, "epochs": values.epochs, "hidden_dim": 128}
    rows = {name: dict(ROWS[name]) for name in values.rows}
    for row in rows.values():
        if "model" in row:
            row["items"] = values.items
        if row.get("intent_weight") != 0:
            # As many as when the ablation was made.
            row["num_intents"] = (256,)
    compare(rows, common, values.seeds, values.runs, "valid", METRICS, "NDCG@20")


if __name__ == "__main__":
    main()
