"""Evaluate a finished run: ``python -m tf_iclrec.evaluate DIR``."""

import json
from collections.abc import Sequence

from tf_iclrec.commands import Parser, run_command
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.evaluation.groups import provider_coverage_groups
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.evaluation.report import held_out_ranks, metrics_table
from tf_iclrec.runs import load_run


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
    ranks = held_out_ranks(run.model, run.split, values.split, **run.config.evaluation)
    metrics = metrics_of_ranks(ranks)
    held_out = run.split.held_out(values.split)
    rows = sampled_rows(len(held_out.users), run.config.evaluation.evaluation_users)
    groups = {
        name: {"users": int(mask[rows].sum()), **metrics_of_ranks(ranks[mask[rows]])}
        for name, mask in provider_coverage_groups(run.split, values.split).items()
        if mask[rows].any()
    }
    if values.json:
        by_group = {"by_provider_coverage": groups} if groups else {}
        print(json.dumps({values.split: metrics, **by_group}, indent=2))
        return
    print(run.split.summary())
    print(metrics_table({run.config.model: metrics}))
    if groups:
        print("\nBy the providers in the history")
        labels = {
            name: f"{name.replace('_', ' ')}, {groups[name].pop('users')} users" for name in groups
        }
        print(metrics_table({labels[name]: groups[name] for name in groups}))


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
