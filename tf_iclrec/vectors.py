"""How vectors of users lie: ``python -m tf_iclrec.vectors RUN [RUN ...] --by category``."""

import argparse
import dataclasses
import json
from collections.abc import Sequence

from tf_iclrec.analysis.vectors.structure import MOST_USERS, NEIGHBOURS, Structure, structures
from tf_iclrec.analysis.vectors.tsne import check_tsne, tsne_map
from tf_iclrec.analysis.vectors.user_vectors import UserVectors, user_vectors
from tf_iclrec.commands import (
    Parser,
    add_import,
    add_item_table,
    free_file,
    run_command,
    with_item_table,
)
from tf_iclrec.data.reading import split_names
from tf_iclrec.evaluation.tables import metrics_table
from tf_iclrec.options import flag
from tf_iclrec.reports.run_sections.reported_run import distinct_names
from tf_iclrec.reports.vector_map import KINDS
from tf_iclrec.reports.vector_page import MappedVectors, write_vector_page
from tf_iclrec.runs import load_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments, measure, print and draw."""
    parser = _parser()
    values = parser.parse(arguments)
    for option in ("neighbours", "map_users"):
        if getattr(values, option) < 1:
            parser.error(f"{flag(option)} must be at least 1")
    output = free_file(values.output, values.overwrite) if values.output else None
    if output:
        check_tsne()
    found: dict[str, dict[str, Structure]] = {}
    mapped: dict[str, MappedVectors] = {}
    for name, path in zip(distinct_names(values.runs), values.runs, strict=True):
        vectors = user_vectors(with_item_table(load_run(path), values), values.by, MOST_USERS)
        found[name] = structures(vectors, values.neighbours)
        if output:
            mapped[name] = _mapped(vectors, values)
    if values.json:
        as_json = {
            name: {kind: dataclasses.asdict(one) for kind, one in of_run.items()}
            for name, of_run in found.items()
        }
        print(json.dumps(as_json, indent=2))
    else:
        _print(found, values)
    if output:
        write_vector_page(output, values.by, values.neighbours, found, mapped)
        if not values.json:
            print(f"Page: {output}")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tf_iclrec.vectors",
        description="Whether users who have the same lie together: the silhouette of the vectors "
        "of users by the value that most items of theirs have, how pure their nearest neighbours "
        "are, and a map by t-SNE.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory")
    parser.add_argument(
        "--by",
        default="category",
        metavar="NAME",
        help="attribute or label of the items, or provider (default: category)",
    )
    parser.add_argument(
        "--neighbours",
        type=int,
        default=NEIGHBOURS,
        metavar="K",
        help=f"nearest neighbours of each user (default: {NEIGHBOURS})",
    )
    parser.add_argument("--output", metavar="FILE", help="page to write, with maps (extra: plots)")
    parser.add_argument(
        "--map-users", type=int, default=1000, metavar="N", help="users on a map (default: 1000)"
    )
    parser.add_argument(
        "--map-values",
        default="",
        metavar="NAMES",
        help="only users with one of these main values, separated by commas, on the maps "
        "(default: all)",
    )
    add_item_table(parser)
    add_import(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--overwrite", action="store_true", help="replace the page")
    return parser


def _mapped(vectors: UserVectors, values: argparse.Namespace) -> MappedVectors:
    chosen = split_names(values.map_values)
    some = vectors.having(chosen) if chosen else vectors
    some = some.sample(values.map_users)
    return MappedVectors(
        some.values, some.names, {kind: tsne_map(getattr(some, kind)) for kind in KINDS}
    )


def _print(found: dict[str, dict[str, Structure]], values: argparse.Namespace) -> None:
    rows = {
        f"{name}, {KINDS[kind]}": {
            "Silhouette": one.silhouette,
            f"Purity@{values.neighbours}": one.purity,
            "by chance": one.chance,
        }
        for name, of_run in found.items()
        for kind, one in of_run.items()
    }
    for name, of_run in found.items():
        one = of_run["last"]
        print(f"{name}: {one.users} users by {values.by}, of {one.values} values")
    print(metrics_table(rows))


if __name__ == "__main__":
    run_command(main, "Nothing was written.")
