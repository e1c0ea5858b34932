"""Describe the intents of a finished run: ``python -m tf_iclrec.intents RUN --output DIR``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.analysis.intents.describe import describe_intents, with_intents
from tf_iclrec.commands import Parser, add_import, add_item_table, run_command, with_item_table
from tf_iclrec.data.reading import split_names
from tf_iclrec.errors import UserError
from tf_iclrec.files import locked, replace_directory
from tf_iclrec.reports.intent_page import write_intent_page

PAGE = "intents.html"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, describe and write."""
    parser = Parser(
        prog="python -m tf_iclrec.intents",
        description="What the intents of a finished run are: who has them, what is typical of "
        "them, how users move between them.",
    )
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--compare", metavar="RUN", help="earlier run on the same users, to say what stayed"
    )
    parser.add_argument(
        "--values",
        metavar="NAMES",
        default="",
        help="attributes and labels to describe intents by, separated by commas, and provider "
        "(default: all)",
    )
    add_item_table(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace what is in DIR")
    add_import(parser)
    values = parser.parse(arguments)
    with locked(values.output):
        _describe(values)


def _describe(values: argparse.Namespace) -> None:
    output = _free_folder(values.output, values.overwrite)
    run = with_item_table(with_intents(values.run), values)
    before = with_item_table(with_intents(values.compare), values) if values.compare else None
    report = describe_intents(run, before, values=split_names(values.values) or None)
    with replace_directory(output) as folder:
        folder.mkdir()
        report.save(folder)
        write_intent_page(report, folder / PAGE, Path(values.run).resolve().name)
    for one in report.by_size:
        print(f"{one.id:4} {one.users:7} {one.share:6.1%}  {one.name}")
    print(f"Intents: {output / PAGE}")


def _free_folder(path: str, overwrite: bool) -> Path:
    """A folder to write, that is empty or holds what this command wrote."""
    output = Path(path)
    if output.is_file():
        raise UserError(f"{output} is a file; the output must be a folder.")
    if not output.is_dir() or not any(output.iterdir()):
        return output
    if not (output / PAGE).is_file():
        raise UserError(f"{output} is not empty and holds no {PAGE}; choose another folder.")
    if not overwrite:
        raise UserError(f"{output} is not empty. Use --overwrite, or another --output.")
    return output


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
