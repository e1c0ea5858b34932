"""Recommendations for any number of users, in bounded memory, into one Parquet file.

Each chunk of users becomes a part beside the output. When all parts are there they are joined
and take the output's place at once. An interrupted program finds its parts again.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tf_iclrec.errors import UserError
from tf_iclrec.files import locked, read_json, replace_file, write_json
from tf_iclrec.serving.batch_recommender import BatchRecommender
from tf_iclrec.serving.item_filters import ItemValues
from tf_iclrec.serving.reason_column import check_because
from tf_iclrec.serving.reranking.registry import DEFAULT_RERANKER

CHUNK_SIZE = 20_000


def write_recommendations(
    recommender: BatchRecommender,
    chunks: Iterable[list[str]],
    output: str | Path,
    k: int = 20,
    filter_seen: bool | None = None,
    exclude: list[str] | None = None,
    candidates: list[str] | None = None,
    only: ItemValues | None = None,
    without: ItemValues | None = None,
    diversity: float = 0.0,
    diversify: str = DEFAULT_RERANKER,
    because: int = 0,
    request: dict[str, Any] | None = None,
    on_progress: Callable[[int], None] = lambda users: None,
) -> None:
    """Recommend to users, chunk by chunk.

    Args:
        recommender: The model and what it knows.
        chunks: Raw user ids.
        output: The Parquet file, with the columns of `tf_iclrec.recommend`.
        k: Items per user.
        filter_seen: Whether users' own items are left out. Defaults to what the recommender does.
        exclude: Item ids that are never returned.
        candidates: Item ids that alone may be returned.
        only: Values that items must have, as in `tf_iclrec.recommend`; each must be that of an
            item.
        without: Values that items must not have, likewise.
        diversity: As in `tf_iclrec.recommend`.
        diversify: Likewise.
        because: Reasons for each item, as in `tf_iclrec.recommend`.
        request: What distinguishes this request, as JSON: parts that an interrupted program
            left are used again if it is the same. Defaults to None: none are.
        on_progress: Called with the number of users done after each chunk.

    Raises:
        UserError: If ``k``, ``because`` or ``diversity`` is out of range, lists can't be
            diversified so, no candidate is known, a value is not, or no item has all that is asked
            for; or there is no user.
    """
    import pyarrow.parquet as pq

    output = Path(output)
    recommender.check_k(k)
    check_because(because)
    if candidates is not None:
        candidates = recommender.encode_items(candidates, 0, "ignore")
    search = recommender.search(candidates, only, without, on_unknown="raise", may_be_empty=False)
    search = recommender.diversified(search, diversity, diversify)
    excluded = recommender.encode_items(exclude or [], 0, "ignore")
    with locked(output):
        parts = _Parts(output.with_name(f".{output.name}.parts"), request)
        done, paths = 0, []
        for number, users in enumerate(chunks):
            path = parts.path(number)
            if not path.is_file():
                table = recommender.recommend(
                    users,
                    recommender.histories_of(users),
                    k,
                    filter_seen,
                    excluded,
                    search,
                    recommender.trained_rows(users),
                    because,
                )
                with replace_file(path) as temporary:
                    pq.write_table(table, temporary)
            paths.append(path)
            done += len(users)
            on_progress(done)
        if paths:
            _join(paths, output)
        parts.remove()
    if not paths:
        raise UserError("There is no user to recommend to.")


class _Parts:
    """The folder with the parts of one request."""

    def __init__(self, folder: Path, request: dict[str, Any] | None):
        self.folder = folder
        description = folder / "request.json"
        if request is None or read_json(description) != request:
            self.remove()
            folder.mkdir(parents=True)
            write_json(description, request)

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06}.parquet"

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _join(parts: list[Path], output: Path) -> None:
    import pyarrow.parquet as pq

    schema = pq.read_schema(parts[0])
    with replace_file(output) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part))


def in_chunks(ids: Iterable[str], size: int = CHUNK_SIZE) -> Iterator[list[str]]:
    """Ids in lists of ``size``.

    Example:
    >>> list(in_chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    ids = iter(ids)
    while chunk := list(itertools.islice(ids, size)):
        yield chunk
