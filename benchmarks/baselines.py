"""The systems of ICLRec's Table 1 at their published settings, beside the paper's figures.

    python benchmarks/baselines.py --data Beauty.txt --runs DIR [--models gru4rec ...] [--seed 0]

Whole catalogue ranked, the best epoch by validation, test read once. A run that is there is not
repeated, one that was interrupted goes on. Some take an hour.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

# Test figures of the paper's Table 1 on Beauty, of its Table 2 for icl_s3rec.
PAPER = {
    "bpr_mf": {"HR@5": 0.0212, "HR@20": 0.0589, "NDCG@20": 0.0236},
    "gru4rec": {"HR@5": 0.0111, "HR@20": 0.0478, "NDCG@20": 0.0104},
    "caser": {"HR@5": 0.0251, "HR@20": 0.0643, "NDCG@20": 0.0298},
    "sasrec_published": {"HR@5": 0.0374, "HR@20": 0.0901, "NDCG@20": 0.0387},
    "dssrec": {"HR@5": 0.0410, "HR@20": 0.0914, "NDCG@20": 0.0403},
    "bert4rec": {"HR@5": 0.0360, "HR@20": 0.0984, "NDCG@20": 0.0391},
    "s3rec_isp": {"HR@5": 0.0189, "HR@20": 0.0487, "NDCG@20": 0.0198},
    "cl4srec_published": {"HR@5": 0.0423, "HR@20": 0.0994, "NDCG@20": 0.0441},
    "iclrec_published": {"HR@5": 0.0493, "HR@20": 0.1076, "NDCG@20": 0.0489},
    "icl_s3rec": {"NDCG@20": 0.0264},
    "sr_gnn": {},
    "transitions": {},
    "ease": {},
}
COLUMNS = ("HR@5", "HR@20", "NDCG@20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="sequence file")
    parser.add_argument("--runs", required=True, type=Path, help="folder of the run directories")
    parser.add_argument("--models", nargs="+", choices=PAPER, default=list(PAPER))
    parser.add_argument("--seed", default="0")
    options = parser.parse_args()
    for name in options.models:
        train(name, options)
    show(options)


def train(name: str, options) -> None:
    """A run, unless it is there."""
    run = options.runs / f"{name}-{options.seed}"
    if (run / "metrics.json").is_file():
        return
    command = [sys.executable, "-m", "tf_iclrec.train", "--output", run]
    if (run / "checkpoints" / "state.json").is_file():
        command.append("--resume")
    else:
        command += ["--data", options.data, "--overwrite"]
        command += ["--model", name]
        if name not in ("transitions", "ease"):
            command += ["--seed", options.seed]
    options.runs.mkdir(parents=True, exist_ok=True)
    with (options.runs / f"{name}-{options.seed}.log").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log)


def show(options) -> None:
    """The table, of the runs that have ended."""
    print("| | " + " | ".join(f"{name} | paper" for name in COLUMNS) + " | best epoch |")
    print("|---" * (2 * len(COLUMNS) + 2) + "|")
    for name, paper in PAPER.items():
        run = options.runs / f"{name}-{options.seed}"
        if not (run / "metrics.json").is_file():
            continue
        test = json.loads((run / "metrics.json").read_text())["test"]
        state = run / "checkpoints" / "state.json"
        epoch = json.loads(state.read_text())["best_epoch"] if state.is_file() else ""
        cells = [f"{test[one]:.4f} | {paper.get(one, '')}" for one in COLUMNS]
        print(f"| {name} | " + " | ".join(cells) + f" | {epoch} |")


if __name__ == "__main__":
    main()
