"""MovieLens: who rated which film, and when (Harper and Konstan, TiiS 2015)."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from tf_iclrec.data.item_attributes import TITLE
from tf_iclrec.data.item_table import ItemTable
from tf_iclrec.data.preparation.source import Source
from tf_iclrec.data.public.public_log import PublicLog, file_of
from tf_iclrec.errors import UserError

_PUBLISHED = "https://grouplens.org/datasets/movielens"
_COLUMNS = ("userId", "movieId", "rating", "timestamp")
# Of 100K, in the order of its flags.
_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
_NO_GENRES = "(no genres listed)"


@dataclasses.dataclass(frozen=True)
class _Layout:
    """How one of the releases is written.

    Attributes:
        films: The file of films, beside that of ratings.
        separator: Of ratings.
        of_films: Of films.
        encoding: Of films.
        num_cells: Of a film.
        has_header: Whether the first lines have the names.
    """

    films: str
    separator: str
    of_films: str
    encoding: str
    num_cells: int = 3
    has_header: bool = False


# By the file of ratings: 20M, 25M, 32M and latest; 1M and 10M; 100K.
_LAYOUTS = {
    "ratings.csv": _Layout("movies.csv", ",", ",", "utf-8", has_header=True),
    "ratings.dat": _Layout("movies.dat", "::", "::", "latin-1"),
    "u.data": _Layout("u.item", "\t", "|", "latin-1", num_cells=5 + len(_GENRES)),
}


def movielens(path: Path) -> PublicLog:
    """A release of MovieLens as it is unpacked: 100K (``u.data``), 1M and 10M (``ratings.dat``), or
    20M, 25M, 32M and latest (``ratings.csv``).

    Every rating is an interaction, ``--min-rating`` keeps the better ones. Films have their titles,
    and as label ``genres`` all that they are given, such as ``Comedy, Crime``. There are no
    providers.

    Args:
        path: The folder, or the file of ratings. Films are described if their file is beside it.

    Raises:
        UserError: If it is not there, or a line of the file of films can't be read.
    """
    file = file_of(path, list(_LAYOUTS), _PUBLISHED)
    if file.name not in _LAYOUTS:
        raise UserError(f"{file} is no log of MovieLens, which is called {' or '.join(_LAYOUTS)}.")
    layout = _LAYOUTS[file.name]
    source = Source(
        name=str(file),
        format="text",
        columns=dict.fromkeys(_COLUMNS, "text"),
        paths=(file,),
        separator=layout.separator,
        has_header=layout.has_header,
    )
    roles = dict(zip(("user", "item", "rating", "time"), _COLUMNS, strict=True))
    films = file.parent / layout.films
    return PublicLog(source, roles, _films(films, layout) if films.is_file() else None)


def _films(file: Path, layout: _Layout) -> ItemTable:
    titles, genres = {}, {}
    wanted = layout.num_cells
    for number, cells in enumerate(_rows(file, layout), 1 + layout.has_header):
        if len(cells) != wanted:
            raise UserError(f"{file}, line {number} has {len(cells)} cells, not {wanted}.")
        film, title, *rest = cells
        titles[film] = title
        genres[film] = ", ".join(_genres(rest))
    return ItemTable(None, {}, {"genres": genres, TITLE: titles})


def _rows(file: Path, layout: _Layout) -> Iterator[list[str]]:
    with file.open(encoding=layout.encoding, newline="") as lines:
        if layout.has_header:
            next(lines)
            yield from csv.reader(lines)
        else:
            for line in lines:
                yield line.rstrip("\r\n").split(layout.of_films)


def _genres(cells: Sequence[str]) -> list[str]:
    """What stands behind a title: genres, or dates, an address and a flag for each genre."""
    if len(cells) == 1:
        return [genre for genre in cells[0].split("|") if genre != _NO_GENRES]
    flags = cells[-len(_GENRES) :]
    return [genre for genre, flag in zip(_GENRES, flags, strict=True) if flag == "1"]
