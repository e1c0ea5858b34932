"""Files that are broken at random: each is read as a slow reader reads it, or refused in one line.

Cases that are broken on purpose come first.
"""

import contextlib
import gzip
import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.source import source_of_files

from .prepare_here import run

HEADER = "user_id,item_id,timestamp"
SEPARATORS = {".csv": ",", ".tsv": "\t", ".inter": "\t"}


def zstd(data):
    return pa.compress(data, "zstd", asbytes=True)


def parquet(frame):
    file = io.BytesIO()
    pd.DataFrame(frame).to_parquet(file)
    return file.getvalue()


LINES = f"{HEADER}\nann,tea,1\nbob,jäm,2\n".encode()
TABLE = parquet({"user_id": ["ann"] * 9, "item_id": ["tea"] * 9, "timestamp": range(9)})
MANY = b"cat,oil,3\n" * 250_000
JSON = b'{"user_id": "ann", "item_id": "tea", "timestamp": 1}\n'
BROKEN = {
    "empty": ("log.csv", b"", "is empty."),
    "header only": ("log.csv", f"{HEADER}\n".encode(), "has a header and no rows."),
    "blank line first": ("log.csv", b"\n" + LINES, "its first line is empty."),
    "too short": ("log.csv", LINES + b"cat,oil\n", ", line 4 has 2 cells, not 3."),
    "too long": ("log.csv", LINES + b"cat,oil,3,x\n", ", line 4 has 4 cells, not 3."),
    "too short after line ends in quotes": (
        *("log.csv", f'{HEADER}\nann,"te\n\na",1\n\nbob\n'.encode()),
        ", line 6 has 1 cell, not 3.",
    ),
    "too short, of semicolons": (
        *("log.csv", LINES.replace(b",", b";") + b"cat;oil\n"),
        ", line 4 has 2 cells, not 3.",
    ),
    "open quote, of semicolons": (
        *("log.csv", LINES.replace(b",", b";") + b'cat;"oil;3\n'),
        ", line 4 can't be read: a quote in it does",
    ),
    "open quote": (
        "log.csv",
        LINES + b'cat,"oil,3\n',
        ", line 4 can't be read: a quote in it does",
    ),
    "behind a quote": ("log.csv", LINES + b'"c"at,oil,3\n', ", line 4 can't be read: ',' expected"),
    "open quote in the header": ("log.csv", b'user_id,"item\n', ", line 1 can't be read"),
    "line ends": ("log.csv", LINES + b"cat,oil,3\r\n", ", line 4 ends in another way than the"),
    "Latin-1": (
        *("log.csv", LINES.decode().encode("latin-1")),
        ", line 3 can't be read: it is not UTF-8 (byte 0xe4). Convert the file.",
    ),
    "UTF-16": ("log.csv", LINES.decode().encode("utf-16"), ", line 1 can't be read: it is UTF-16,"),
    "two columns of a name": ("log.csv", b"a,b,a\n1,2,3\n", "has two columns 'a'. Rename one."),
    "truncated gzip": ("log.csv.gz", gzip.compress(LINES)[:-9], "can't be read: "),
    "other bits in gzip": (
        # Far behind what is read for the header.
        *("log.csv.gz", gzip.compress(LINES + MANY + b"dan,tea,4\n", 0).replace(b"dan", b"dam")),
        "can't be read: zlib inflate failed: incorrect data check.",
    ),
    "no gzip": ("log.csv.gz", LINES, "can't be read: "),
    "truncated zstd": ("log.csv.zst", zstd(LINES)[:-3], "can't be read: "),
    "truncated Parquet": ("log.parquet", TABLE[:-20], "can't be read as a table: "),
    "cut out of Parquet": ("log.parquet", TABLE[:40] + TABLE[60:], "can't be read: "),
    "truncated JSON": ("log.jsonl", JSON + JSON[:-9], ", line 2: no JSON ("),
    "JSON of one array": ("log.json", b"[" + JSON + b"]", ", line 1: "),
    "a list among JSON": ("log.jsonl", JSON + b"[1]\n", ", line 2: one JSON object a line is"),
    "a field twice": (
        "log.jsonl",
        JSON + b'{"user_id": 1, "user_id": 2}\n',
        ", line 2: a field is",
    ),
    "half a character": ("log.jsonl", JSON + b'{"user_id": "\\ud800"}', ", line 2: half of a"),
    "JSON in Latin-1": (
        "log.jsonl",
        JSON + b'{"user_id": "\xe4"}',
        ", line 2 can't be read: it is",
    ),
    "no date": (
        *("log.csv", LINES + b"cat,oil,soon\n"),
        ", row 3, column 'timestamp': 'soon' is neither a number nor an ISO 8601 date.",
    ),
    "a date among numbers": (
        *("log.csv", LINES + b"cat,oil,2020-01-01\n"),
        ", row 3, column 'timestamp': a date, where others are numbers.",
    ),
    "a day that is not": (
        "log.csv",
        f"{HEADER}\na,b,2021-02-29\n".encode(),
        ", row 1, column 'tim",
    ),
    "a time out of range": (
        "log.csv",
        LINES + b"cat,oil,1e300\n",
        ", row 3, column 'timestamp': '",
    ),
    "not a number": (
        *("log.parquet", parquet({"user_id": ["a"], "item_id": ["b"], "timestamp": [np.inf]})),
        ", row 1, column 'timestamp': 'inf' is neither",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_line(case, tmp_path):
    name, content, message = BROKEN[case]
    (tmp_path / name).write_bytes(content)
    check_refused(tmp_path / name, message, tmp_path / "out")


def check_refused(path, message, output):
    with pytest.raises(UserError) as caught:
        run("--data", path, "--output", output)
    told = str(caught.value)
    assert told.startswith(str(path))
    assert message in told
    assert len(told.splitlines()) == 1
    # Nothing is left behind.
    assert list(output.parent.iterdir()) == [path]


def test_the_file_of_several_is_named(tmp_path):
    for name, content in {"b": LINES, "c": LINES + b"cat,oil,x\n", "a": LINES + b"cat\n"}.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"c\.csv, row 3, column 'timestamp': 'x' is"):
        load_interactions([tmp_path / "b.csv", tmp_path / "c.csv"])
    with pytest.raises(UserError, match=r"a\.csv, line 4 has 1 cell, not 3"):
        load_interactions(tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_ids_are_kept_apart_as_they_are_written(suffix, tmp_path):
    ids = ["1", "1.0", " 1", "1 ", "01", "+1", "1e0", "NaN", "null", "é", "E\u0301", "#", "\\", "'"]
    ids += ['"', "a,b", "a\nb", "\r\n", "\x00"] * (suffix != "tsv")
    rows = [[one, one, "5"] for one in ids]
    path = tmp_path / f"log.{suffix}"
    names = HEADER.split(",")
    if suffix == "jsonl":
        path.write_text("".join(json.dumps(dict(zip(names, r, strict=True))) + "\n" for r in rows))
    else:
        separator = {"csv": ",", "tsv": "\t"}[suffix]
        path.write_bytes(text_of([names, *rows], separator, "\n", quoted=suffix == "csv"))
    log = load_interactions(path)
    assert log.users.tolist() == log.items.ids.tolist() == sorted(ids, key=str.encode)


def text_of(rows, separator, end, quoted):
    def cell(text):
        return '"' + text.replace('"', '""') + '"' if quoted else text

    return "".join(separator.join(map(cell, row)) + end for row in rows).encode()


# ---------------------------------------------------------------------------------------------
# Random damage.

PIECES = ["a", "B", "é", "漢", "1", "01", " 1", "x y", "'", "\\", "NULL", "", "", "-5", "#", "😀"]
QUOTED_PIECES = [*PIECES, ",", '"', "\n", "\r\n", '""']
DAMAGE = [b'"', b"\n", b"\r", b"\r\n", b"\x00", b",", b"\t", b"\xff", b"\xef\xbb\xbf", b"\n\n"]
DAMAGE += [b'""', b"\\", b"{", b"}", b"\xc3", b"a", b" ", b":", b"\\ud800", b"\xed\xa0\x80"]


class _Broken(Exception):
    """No reader should read this."""


class _Ambiguous(Exception):
    """Readers differ in this: a quote in the middle of a cell."""


def random_file(rng, suffix):
    """The bytes of a small log."""
    pieces = PIECES if SEPARATORS.get(suffix) == "\t" else QUOTED_PIECES

    def cell():
        return "".join(pieces[one] for one in rng.integers(len(pieces), size=rng.integers(3)))

    names = HEADER.split(",")
    rows = [[cell(), cell(), str(rng.integers(1000))] for _ in range(rng.integers(6))]
    if suffix == ".parquet":
        columns = zip(names, zip(*rows, strict=True), strict=True) if rows else []
        table = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns})
        file = io.BytesIO()
        pq.write_table(table, file, compression=["snappy", "zstd"][rng.integers(2)])
        return file.getvalue()
    if suffix == ".jsonl":
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
        return "\n".join(lines).encode()
    end = ["\n", "\r\n", "\r"][rng.integers(3)]
    return text_of([names, *rows], SEPARATORS[suffix], end, quoted=suffix == ".csv")


def damaged(rng, content):
    """The same with bits turned, and bytes taken out or put in."""
    content = bytearray(content)
    for _ in range(rng.integers(3)):
        place = int(rng.integers(len(content) + 1))
        kind = rng.integers(5)
        if kind == 0 and place < len(content):
            content[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del content[place : place + rng.integers(1, 4)]
        elif kind in (2, 3):
            content[place : place + kind - 2] = DAMAGE[rng.integers(len(DAMAGE))]
        elif rng.random() < 0.4:
            del content[place:]
    return bytes(content)


def slow_rows(content, suffix):
    """Names and rows, by the letter of RFC 4180 and of JSON.

    Raises:
        _Broken: If they can't be read so.
        _Ambiguous: If some readers may read more than is said there.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Broken from error
    if suffix == ".jsonl":
        return slow_json(text)
    names, *rows = slow_cells(text, SEPARATORS[suffix]) or [[]]
    if suffix == ".inter":
        names = [name.split(":")[0] for name in names]
    names = [name or f"column {place}" for place, name in enumerate(names, 1)]
    # DuckDB does not mind an empty cell too many.
    rows = [row[:-1] if len(row) == len(names) + 1 and row[-1] == "" else row for row in rows]
    if len(set(names)) < len(names) or any(len(row) != len(names) for row in rows):
        raise _Broken
    return names, [[cell or None for cell in row] for row in rows]


def slow_cells(text, separator):
    plain = rf"(?P<plain>[^{separator}\r\n]*)"
    quoted = r'"(?P<quoted>(?:[^"]|"")*)"(?=[,\r\n]|\Z)|'
    pattern = re.compile((quoted if separator == "," else "(?P<quoted>(?!))|") + plain)
    rows, row, place = [], [], 0
    while place < len(text):
        match = pattern.match(text, place)
        if separator == "," and match["quoted"] is None and '"' in match["plain"]:
            raise _Broken if match["plain"].startswith('"') else _Ambiguous
        is_quoted = match["quoted"] is not None
        row.append(match["quoted"].replace('""', '"') if is_quoted else match["plain"])
        place = match.end()
        if text[place : place + 1] == separator:
            place += 1
            if place < len(text):
                continue
            row.append("")
        end = re.compile(r"\r\n|\r|\n|\Z").match(text, place)
        place = end.end()
        # A blank line is no row.
        if row != [""] or is_quoted:
            rows.append(row)
        row = []
    return rows


def slow_json(text):
    def unique(fields):
        if len(dict(fields)) < len(fields):
            raise _Broken
        return dict(fields)

    try:
        rows = [
            json.loads(line, object_pairs_hook=unique)
            for line in text.split("\n")
            if line.strip(" \t\r")
        ]
    except ValueError as error:
        raise _Broken from error
    if not all(isinstance(row, dict) for row in rows):
        raise _Broken
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[row.get(name) for name in names] for row in rows]
    # What is no text is written again by each reader in its own way.
    return names, [[c if c is None or isinstance(c, str) else ... for c in row] for row in cells]


def read_by_the_engine(path, folder):
    source = source_of_files([path])
    folder.mkdir()
    engine = DuckDBEngine(folder)
    try:
        names = {f"column_{place}": name for place, name in enumerate(source.columns)}
        table = engine.table(engine.read(source, names).orderBy("row")).drop(["row"])
    finally:
        engine.close()
    return list(source.columns), [list(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".inter", ".jsonl", ".parquet"])
def test_damage_at_random_is_read_as_by_a_slow_reader_or_refused(suffix, tmp_path):
    rng = np.random.default_rng(sum(suffix.encode()))
    refused = 0
    for number in range(40):
        content = damaged(rng, random_file(rng, suffix))
        packed, pack = "", bytes
        if suffix != ".parquet":
            packed, pack = [("", bytes), (".gz", gzip.compress), (".zst", zstd)][number % 3]
        path = tmp_path / f"{number}{suffix}{packed}"
        path.write_bytes(
            damaged(rng, pack(content)) if packed and number % 5 == 0 else pack(content)
        )
        found = outcome(path, tmp_path / f"{number}")
        if isinstance(found, str):
            assert len(found.splitlines()) == 1
            assert str(path) in found
            refused += 1
            continue
        names, rows = found
        with contextlib.suppress(_Ambiguous):
            expected_names, expected = slow_file(path, suffix, packed)
            assert names == expected_names
            assert len(rows) == len(expected)
            for row, slow_row in zip(rows, expected, strict=True):
                pairs = zip(row, slow_row, strict=True)
                assert all(slow in (cell, ...) for cell, slow in pairs), (row, slow_row)
    assert 5 <= refused <= 35


def outcome(path, folder):
    """Names and rows, or why there are none."""
    try:
        return read_by_the_engine(path, folder)
    except UserError as error:
        return str(error)


def slow_file(path, suffix, packed):
    if suffix == ".parquet":
        table = pq.read_table(path)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]
    content = path.read_bytes()
    if packed == ".gz":
        content = gzip.decompress(content)
    elif packed == ".zst":
        content = pa.input_stream(pa.BufferReader(content), compression="zstd").read()
    return slow_rows(content, suffix)
