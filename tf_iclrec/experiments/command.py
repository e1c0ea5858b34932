"""The command line of every experiment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.commands import Parser, run_command
from tf_iclrec.errors import UserError
from tf_iclrec.experiments.experiment import Experiment
from tf_iclrec.experiments.page import write_results
from tf_iclrec.experiments.results import Results
from tf_iclrec.experiments.runner import run_trials
from tf_iclrec.experiments.store import Store


def run_experiment(experiment: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, write the page, and exit: 0; 1 if a training failed; 2 for bad input.

    For the last lines of a script, which is imported by each process that trains::

        if __name__ == "__main__":
            run_experiment(EXPERIMENT)

    Args:
        experiment: What to train.
        arguments: Of the command; by default those of this process.
    """
    failed = []
    run_command(
        lambda: failed.extend(_run(experiment, arguments)),
        "Give the same command again, and it goes on.",
    )
    if failed:
        number = f"{len(failed)} training" + "s" * (len(failed) > 1)
        print(f"error: {number} failed; the page says why.", file=sys.stderr)
        sys.exit(1)


def _run(experiment: Experiment, arguments: Sequence[str] | None) -> list[str]:
    parser = _parser(experiment)
    values = parser.parse(arguments)
    if values.jobs < 1:
        parser.error("--jobs must be at least 1")
    if values.data and not Path(values.data).is_dir():
        raise UserError(f"No such folder: {values.data}")
    if values.small:
        experiment = experiment.smaller()
    experiment = experiment.only(values.only, values.models, values.seeds)
    data = Path(values.data) if values.data else None
    trials = experiment.trials(data)
    store = Store(Path(values.output))
    store.open()
    failed = run_trials(trials, store, values.jobs)
    results = Results(experiment, trials, store, failed, data)
    for what, path in write_results(results).items():
        print(f"{what}: {path}")
    return list(failed)


def _parser(experiment: Experiment) -> Parser:
    parser = Parser(
        description=f"{experiment.title}. Trains what is missing in --output, keeps what is there, "
        "and writes a page, the same as Markdown, and all figures as CSV."
    )
    parser.add_argument("--data", metavar="DIR", help="folder with the files of the data sets")
    parser.add_argument(
        "--output",
        metavar="DIR",
        default="runs/papers",
        help="folder for trainings, which experiments may share, and pages (default: runs/papers)",
    )
    names = ", ".join(one.name for one in experiment.datasets)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="DATA", help=f"data sets, of {names}"
    )
    names = ", ".join(row.name for row in experiment.rows)
    parser.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"rows, of {names}; or any model of the library, at its own settings",
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=[],
        metavar="SEED",
        help=f"seeds (default: {' '.join(map(str, experiment.seeds))})",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="trainings at a time (default: 1)"
    )
    if experiment.small:
        parser.add_argument("--small", action="store_true", help="a small version, in minutes")
    else:
        parser.set_defaults(small=False)
    return parser
