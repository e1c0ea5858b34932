"""Make the page of a run, or of several: ``python -m tf_iclrec.report RUN [RUN ...]``."""

from collections.abc import Sequence
from pathlib import Path

from tf_iclrec.analysis.compare_runs import check_comparable
from tf_iclrec.commands import (
    Parser,
    add_import,
    add_item_table,
    free_file,
    run_command,
    with_item_table,
)
from tf_iclrec.errors import UserError
from tf_iclrec.reports.run_report import write_run_report
from tf_iclrec.reports.run_sections.reported_run import ReportedRun, distinct_names
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import load_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, read the runs and write the page."""
    parser = Parser(
        prog="python -m tf_iclrec.report",
        description="A page about a finished run, or about several side by side: one HTML file.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory")
    parser.add_argument(
        "--compare",
        metavar="RUN",
        help="an earlier run on the same data, which each run is tested against, user by user",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="file to write (default: report.html in the run directory; needed for several runs)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    add_item_table(parser)
    add_import(parser)
    values = parser.parse(arguments)
    if len(values.runs) > 1 and not values.output:
        raise UserError("Name a file to write with --output: the page is about several runs.")
    if values.output:
        free_file(values.output, values.overwrite)
    paths = [*values.runs, *([values.compare] if values.compare else [])]
    reported = [
        ReportedRun.of(with_item_table(load_run(path), values), RunDirectory(Path(path)), name)
        for path, name in zip(paths, distinct_names(paths), strict=True)
    ]
    runs, baseline = reported, None
    if values.compare:
        *runs, baseline = reported
        for one in runs:
            check_comparable(one.run.split, baseline.run.split, "test")
    path = Path(values.output) if values.output else RunDirectory(Path(values.runs[0])).report
    write_run_report(runs, path, baseline)
    print(f"Page: {path}")


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
