"""Recommend to many users: ``python -m tf_iclrec.recommend RUN --output recs.parquet``."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tf_iclrec.commands import (
    Parser,
    add_filters,
    add_import,
    add_new_items,
    filters_of,
    free_file,
    run_command,
)
from tf_iclrec.data.id_lists import read_ids
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.preparation.fingerprint import fingerprint
from tf_iclrec.data.reading import load_interactions, split_names
from tf_iclrec.errors import UserError
from tf_iclrec.recommendation import recommender_of_run
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import load_run
from tf_iclrec.serving.batch_recommender import BatchRecommender
from tf_iclrec.serving.recommendation_file import in_chunks, write_recommendations
from tf_iclrec.serving.reranking.registry import DEFAULT_RERANKER, RERANKERS


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse arguments and recommend."""
    values = _parser().parse(arguments)
    output = free_file(values.output, values.overwrite)
    if output.suffix.lower() in {".csv", ".tsv", ".txt", ".json", ".jsonl", ".gz", ".zst"}:
        raise UserError(f"A Parquet file is written: name it {output.with_suffix('.parquet')}.")
    if values.diversify != DEFAULT_RERANKER and not values.diversity:
        raise UserError("--diversify needs --diversity: how much, from 0 to 1.")
    filters = filters_of(values)
    run = load_run(values.run, for_serving=True)
    if values.new_items:
        run = run.with_new_items(values.new_items)
    newer = _load_like(values.histories, run.how_read) if values.histories else None
    recommender = recommender_of_run(run, newer)
    filter_seen = recommender.filter_seen if values.keep_seen is None else not values.keep_seen

    def users():
        if values.users:
            return read_ids(values.users, "user", run.how_read["user_column"])
        return iter(recommender.users)

    items = {"exclude": None, "candidates": None}
    for name in items:
        if path := getattr(values, name):
            # Out of stock, there may be nothing today.
            ids = read_ids(path, "item", run.how_read["item_column"], name == "exclude")
            items[name] = list(ids)
            _say_unknown(path, items[name], recommender)
    num_users = len(recommender.users)
    if values.users:
        num_users = _count_users(values.users, users(), recommender)
    progress = keras.utils.Progbar(
        num_users, unit_name="user", verbose=1 if sys.stdout.isatty() else 2
    )
    served = RunDirectory(Path(values.run)).served_model
    files = (served, values.users, values.histories, values.new_items)
    write_recommendations(
        recommender,
        in_chunks(users()),
        output,
        values.k,
        filter_seen=filter_seen,
        because=values.because,
        diversity=values.diversity,
        diversify=values.diversify,
        request={
            "k": values.k,
            "filter_seen": filter_seen,
            "because": values.because,
            "diversity": values.diversity,
            "diversify": values.diversify,
            # What changes when one of them does.
            "files": [path and fingerprint([str(path)]) for path in files],
            **items,
            **filters,
        },
        on_progress=progress.update,
        **items,
        **filters,
    )
    print(f"Recommendations: {output}")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tf_iclrec.recommend",
        description="Recommend items to any number of users; an interrupted command goes on "
        "where it was when it is given again.",
    )
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument("--output", required=True, metavar="FILE", help="Parquet file to write")
    parser.add_argument(
        "--users",
        metavar="FILE",
        help="text file with a user id per line, or table with the run's user column "
        "(default: all users)",
    )
    parser.add_argument(
        "--histories",
        metavar="LOG",
        help="newer log, with the columns of the run's data, to take the histories from",
    )
    parser.add_argument("--k", type=int, default=20, help="items per user (default: 20)")
    parser.add_argument(
        "--because",
        type=int,
        default=0,
        metavar="N",
        help="also name, for each item, so many items of the user's history without which its "
        "score would fall most (default: 0)",
    )
    parser.add_argument(
        "--diversity",
        type=float,
        default=0.0,
        metavar="STRENGTH",
        help="how much the items of a list should differ rather than score high, from 0 to 1 "
        "(default: 0)",
    )
    parser.add_argument(
        "--diversify",
        default=DEFAULT_RERANKER,
        metavar="|".join(RERANKERS),
        help="in what: the user's intents in their proportions, several providers, or items that "
        f"are not alike (default: {DEFAULT_RERANKER})",
    )
    parser.add_argument("--exclude", metavar="FILE", help="items that are never returned")
    parser.add_argument("--candidates", metavar="FILE", help="items that alone may be returned")
    add_filters(parser)
    add_new_items(parser)
    parser.add_argument(
        "--keep-seen",
        action=argparse.BooleanOptionalAction,
        help="whether to return items of the user's own history too (default: as the run was "
        "evaluated, --filter-seen)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    add_import(parser)
    return parser


def _count_users(path: str, ids: Iterable[str], recommender: BatchRecommender) -> int:
    """How many there are in a file, which is read to its end before anything is computed; says how
    many of them are strangers."""
    count = known = 0
    for chunk in in_chunks(ids):
        count += len(chunk)
        known += int(recommender.knows(chunk).sum())
    if known < count:
        print(
            f"{count - known} of {count} users in {path} are not in the data: they get what is "
            "popular.",
            flush=True,
        )
    return count


def _say_unknown(path: str, ids: Sequence[str], recommender: BatchRecommender) -> None:
    """Ids of another spelling exclude nothing, and are never returned."""
    unknown = len(ids) - len(recommender.encode_items(ids, 0, "ignore").item_ids)
    if unknown:
        print(f"{unknown} of {len(ids)} ids in {path} are no items of this run.", flush=True)


def _load_like(path: str, how_read: Mapping[str, Any]) -> Interactions:
    """A log that is read as the run's data are, but of any time and with rare users and items."""
    return load_interactions(
        path,
        how_read["user_column"],
        how_read["item_column"],
        how_read["time_column"],
        # Ratings that say what is left out; others are not needed.
        rating_column=how_read["rating_column"] if how_read["min_rating"] else "",
        header=split_names(how_read["header"]),
        time_unit=how_read["time_unit"],
        min_rating=how_read["min_rating"],
        repeats=how_read["repeats"],
    )


if __name__ == "__main__":
    run_command(main, "The same command goes on after the last chunk.")
