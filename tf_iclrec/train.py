"""Train a model: ``python -m tf_iclrec.train --data SOURCE --output DIR``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.commands import Parser, add_settings, given_settings, run_command
from tf_iclrec.config import read_settings
from tf_iclrec.errors import UserError
from tf_iclrec.models.presets import PRESETS, make_config
from tf_iclrec.runs import RunDirectory
from tf_iclrec.training.fit import fit


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and train."""
    parser = Parser(
        prog="python -m tf_iclrec.train",
        description="Train a sequential recommender and write a run directory.",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="run directory to write")
    parser.add_argument("--config", metavar="FILE", help="JSON file with settings to start from")
    parser.add_argument(
        "--resume", action="store_true", help="continue an interrupted run in --output"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a run that is in --output"
    )
    add_settings(parser)
    values = parser.parse(arguments)
    if values.resume and values.overwrite:
        raise UserError("--resume and --overwrite exclude each other.")
    settings = _settings(given_settings(values), values)
    fit(make_config(**settings), values.output, values.resume, values.overwrite)


def _settings(given: dict[str, Any], values) -> dict[str, Any]:
    """Settings by rising precedence: file (or the run to resume), preset named on the command
    line, other options."""
    file = values.config
    if values.resume and not file:
        RunDirectory(Path(values.output)).read_config()
        file = RunDirectory(Path(values.output)).config
    try:
        from_file = read_settings(file) if file else {}
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(str(error)) from error
    preset = PRESETS.get(given.get("model"), {})
    return {**from_file, **preset, **given}


if __name__ == "__main__":
    run_command(main, "A training goes on after its last complete epoch with --resume.")
