"""Train a model: ``python -m tf_iclrec.train --data SOURCE --output DIR``."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.commands import (
    Parser,
    add_import,
    add_settings,
    add_settings_read,
    given_settings,
    run_command,
)
from tf_iclrec.config import (
    Config,
    read_settings,
    resolve,
    settings_of_run,
    settings_to_start_from,
)
from tf_iclrec.errors import UserError
from tf_iclrec.fit import fit
from tf_iclrec.options import all_sections
from tf_iclrec.rolling import SET_BY_DATES, fit_at_dates
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.systems.registry import DEFAULT_SYSTEM
from tf_iclrec.systems.table import systems_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and train."""
    parser = _parser()
    parser.parse_known_args(arguments)  # What is imported adds options.
    add_settings(parser, all_sections())
    values = parser.parse(arguments)
    if values.list_models:
        print(systems_table())
        return
    config = _config(values)
    if values.help:
        # What this model reads and nothing else.
        parser = _parser()
        add_settings_read(parser, config)
        parser.print_help()
        return
    if not values.output:
        raise UserError("Name a folder to write with --output.")
    if values.resume and values.overwrite:
        raise UserError("--resume and --overwrite exclude each other.")
    if values.roll:
        fit_at_dates(config, values.roll, values.output, values.resume, values.overwrite)
    else:
        fit(config, values.output, values.resume, values.overwrite)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tf_iclrec.train",
        usage="python -m tf_iclrec.train --output DIR [--model NAME] [options]",
        description="Train a recommender and write a run directory. The settings below are those "
        "that the chosen model reads: --model NAME --help shows another model's.",
        add_help=False,
    )
    parser.add_argument("--help", "-h", action="store_true", help="show this help and exit")
    parser.add_argument("--output", metavar="DIR", help="run directory to write")
    parser.add_argument(
        "--model", metavar="NAME", help=f"name of the model (default: {DEFAULT_SYSTEM})"
    )
    parser.add_argument("--list-models", action="store_true", help="show all models and exit")
    parser.add_argument("--config", metavar="FILE", help="JSON file with settings to start from")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --output; with --data also start it, if there is none",
    )
    parser.add_argument(
        "--roll",
        nargs="+",
        metavar="DATE",
        help="split at each of these dates, train and test from one to the next; a run each in "
        "--output, and a table with the means",
    )
    add_import(parser)
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the run in --output, which stays until the new one is finished",
    )
    return parser


def _config(values: argparse.Namespace) -> Config:
    """Settings by rising precedence: the model's, those of a file (or of the run to resume or to
    start from), those that are given as options."""
    given = given_settings(values)
    if values.roll:
        _check_roll(given)
        given.setdefault("split", "time")
    if values.config:
        model, from_file = read_settings(values.config)
    elif run := _to_resume(values):
        model, from_file = settings_of_run(run)
    else:
        model, from_file = settings_to_start_from(given.get("init_from", ""), given.get("data", ()))
    if values.roll:
        from_file = {name: one for name, one in from_file.items() if name not in SET_BY_DATES}
    return resolve(
        values.model or model or DEFAULT_SYSTEM,
        given,
        from_file,
        file_model=model,
    )


def _check_roll(given: Mapping[str, Any]) -> None:
    """Refuse what was asked for and would not be done."""
    if given.get("refit"):
        raise UserError("--roll trains nothing for serving: leave out --refit.")
    split = str(given.get("split", "time"))
    if split.partition(":")[0] != "time":
        raise UserError(f"--roll splits by time, at its own dates: leave out --split {split}.")


def _to_resume(values: argparse.Namespace) -> Path | None:
    """The run whose settings count: none where there is none and the data of one is named."""
    if not values.resume or not values.output:
        return None
    run = RunDirectory.at(values.output).to_resume
    return run.path if run.config.is_file() or "data" not in values else None


if __name__ == "__main__":
    run_command(main, "A training goes on after its last complete epoch with --resume.")
