"""Evaluate a finished run: ``python -m tf_iclrec.evaluate DIR``."""

import json
from collections.abc import Sequence

from tf_iclrec.commands import Parser, run_command
from tf_iclrec.evaluation.report import evaluate_splits, metrics_table
from tf_iclrec.training.run_directory import load_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, evaluate and print."""
    parser = Parser(
        prog="python -m tf_iclrec.evaluate",
        description="Full-ranking metrics of a finished run.",
    )
    parser.add_argument("run", metavar="DIR", help="run directory")
    parser.add_argument(
        "--split", choices=("valid", "test"), default="test", help="split (default: test)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    values = parser.parse(arguments)
    run = load_run(values.run)
    metrics = evaluate_splits(run.model, run.interactions, run.config, (values.split,))
    if values.json:
        print(json.dumps(metrics, indent=2))
    else:
        print(metrics_table({run.config.model: metrics[values.split]}))


if __name__ == "__main__":
    run_command(main)
