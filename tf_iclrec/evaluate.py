"""Evaluate a finished run: ``python -m tf_iclrec.evaluate DIR``."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_iclrec.analysis.compare_runs import compare_runs
from tf_iclrec.analysis.evaluate_run import evaluate_run
from tf_iclrec.commands import Parser, add_import, add_item_table, run_command, with_item_table
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.evaluation.groups import GROUPINGS
from tf_iclrec.evaluation.tables import groups_table, noise_table
from tf_iclrec.evaluation.user_values import LIST_LENGTH
from tf_iclrec.reports.numbers import p_value
from tf_iclrec.runs import Run, load_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, evaluate and print."""
    parser = _parser()
    values = parser.parse(arguments)
    if values.k < 1:
        parser.error("--k must be at least 1")
    if not all(0 < share <= 1 for share in values.noise):
        parser.error("--noise must be above 0 and at most 1")
    if values.noise_seed < 0:
        parser.error("--noise-seed must be at least 0")
    if values.noise and values.compare:
        parser.error("--noise and --compare exclude each other: evaluate each run with --noise")
    if values.groups is not None and values.compare:
        parser.error("--groups and --compare exclude each other: evaluate each run with --groups")
    run = with_item_table(load_run(values.run), values)
    if values.compare:
        _compare(run, load_run(values.compare), values)
        return
    # Not as the option's default: those of one's own are known only now.
    asked = GROUPINGS if values.groups is None else values.groups
    report = evaluate_run(
        run,
        values.split,
        values.k,
        {name: GROUPINGS[name] for name in asked},
        values.noise,
        values.noise_seed,
    )
    if values.json:
        print(json.dumps(report, indent=2))
        return
    print(run.split.summary())
    users = run.split.held_out(values.split).users
    rows = sampled_rows(len(users), run.config.evaluation.evaluation_users)
    users = {"users": len(np.unique(users[rows]))}
    everyone = users | report[values.split] | report["lists"]
    _print_report(run.config.model, everyone, report)
    if values.noise:
        print("\nBy noise in the histories, as a share of their length")
        print(noise_table(report[values.split], report["noise"], values.split))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tf_iclrec.evaluate",
        description="Full-ranking metrics of a finished run, and what its lists are like, for all "
        "users and for groups of them, and how much worse they are where histories are noisy.",
    )
    parser.add_argument("run", metavar="DIR", help="run directory")
    parser.add_argument(
        "--split", choices=("valid", "test"), default="test", help="split (default: test)"
    )
    parser.add_argument(
        "--groups",
        nargs="*",
        choices=GROUPINGS,
        help="groups of users by the length of the history, the popularity of the target and how "
        "many providers in the history are known (default: all that the data allows)",
    )
    parser.add_argument(
        "--k",
        type=int,
        default=LIST_LENGTH,
        metavar="K",
        help=f"length of the lists that are looked at (default: {LIST_LENGTH})",
    )
    parser.add_argument(
        "--noise",
        nargs="+",
        type=float,
        default=[],
        metavar="SHARE",
        help="add items that the users never had to their histories, so many in relation to their "
        "length, such as 0.05 0.1 0.2, and say how much lower the metrics are",
    )
    parser.add_argument(
        "--noise-seed", type=int, default=0, metavar="INT", help="seed of the noise (default: 0)"
    )
    parser.add_argument(
        "--compare",
        metavar="DIR",
        help="another run on the same data: show how the two differ, with p-values of paired "
        "t-tests over users, also as Holm corrects them for several metrics, in place of groups",
    )
    add_item_table(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    add_import(parser)
    return parser


def _compare(run: Run, other: Run, values: argparse.Namespace) -> None:
    compared = compare_runs(run, other, values.split, values.k)
    if values.json:
        found = {name: metric._asdict() for name, metric in compared.items()}
        print(json.dumps({"comparison": found}, indent=2))
        return
    print(run.split.summary())
    columns = {
        values.run: {name: metric.first for name, metric in compared.items()},
        values.compare: {name: metric.second for name, metric in compared.items()},
        "difference": {name: metric.difference for name, metric in compared.items()},
    }
    tested = {name: metric for name, metric in compared.items() if metric.p_value is not None}
    columns["p"] = {name: p_value(metric.p_value) for name, metric in tested.items()}
    columns["p, Holm"] = {name: p_value(metric.p_value_holm) for name, metric in tested.items()}
    print(groups_table(columns))


def _print_report(name: str, everyone: Mapping[str, float], report: Mapping[str, Any]) -> None:
    intervals = report["intervals"]
    columns = {
        name: everyone,
        "95% from": {metric: low for metric, (low, _) in intervals.items()},
        "to": {metric: high for metric, (_, high) in intervals.items()},
    }
    print(groups_table(columns))
    for grouping, groups in report["groups"].items():
        if len(groups) > 1:
            print(f"\nBy {GROUPINGS[grouping].by}")
            print(groups_table({"all": everyone, **groups}))


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
