"""Read a log once and for all: ``python -m tf_iclrec.prepare --data LOG --output DIR``."""

from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.commands import Parser, add_settings, given_settings, run_command
from tf_iclrec.config import make_config
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.reading import read_log
from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_directory
from tf_iclrec.systems.sections import DATA


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, read and write."""
    parser = Parser(
        prog="python -m tf_iclrec.prepare",
        description="Read a log and write it as a folder for --data, whose sequences are read "
        "from disk when they are needed.",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write")
    add_settings(parser, [DATA])
    values = parser.parse(arguments)
    output = Path(values.output)
    if output.exists():
        raise UserError(f"{output} exists. Remove it, or choose another --output.")
    interactions = read_log(**make_config(**given_settings(values)).data)
    output.parent.mkdir(parents=True, exist_ok=True)
    with replace_directory(output) as folder:
        write_prepared(interactions, folder)
    print(f"Prepared data: {output}")


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
