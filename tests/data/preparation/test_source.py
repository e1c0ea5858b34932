import gzip
import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.preparation.source import files_of, source_of_files, source_of_table

HEADER = "user_id,item_id,timestamp\n"
ROWS = ["ann,tea,3\n", "bob,tea,1\n", "ann,jam,2\n"]
EXPECTED = {"ann": ["jam", "tea"], "bob": ["tea"]}
FRAME = pd.DataFrame(
    {"user_id": ["ann", "bob", "ann"], "item_id": ["tea", "tea", "jam"], "timestamp": [3, 1, 2]}
)


def packed(suffix, text):
    if suffix.endswith(".gz"):
        # Of two parts, as tools that compress in parallel write them.
        return gzip.compress(text[:20].encode()) + gzip.compress(text[20:].encode())
    return (
        pa.compress(text.encode(), "zstd", asbytes=True)
        if suffix.endswith(".zst")
        else text.encode()
    )


@pytest.mark.parametrize("suffix", ["csv", "CSV", "csv.gz", "tsv.zst", "jsonl.gz", "ndjson.zst"])
def test_one_table_in_many_dresses(suffix, tmp_path, raw_sequences):
    text = HEADER + "".join(ROWS)
    if "tsv" in suffix:
        text = text.replace(",", "\t")
    if "json" in suffix:
        text = "".join(json.dumps(row) + "\n" for row in FRAME.to_dict("records"))
    (tmp_path / f"log.{suffix}").write_bytes(packed(suffix, text))
    assert raw_sequences(load_interactions(tmp_path / f"log.{suffix}")) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + "".join(ROWS),
        (HEADER + "".join(ROWS)).replace("\n", "\r\n"),
        (HEADER + "".join(ROWS)).replace("\n", "\r"),
        (HEADER + "\n".join(ROWS)).rstrip("\n"),
        ',"user_id","item_id",timestamp\n' + "".join(f"{n},{row}" for n, row in enumerate(ROWS)),
    ],
    ids=["byte order mark", "Windows", "old Mac", "blank lines", "a column without a name"],
)
def test_ways_to_write_csv(text, tmp_path, raw_sequences):
    (tmp_path / "log.csv").write_bytes(text.encode())
    assert raw_sequences(load_interactions(tmp_path / "log.csv")) == EXPECTED


class Stream:
    """A table of another library."""

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.Table.from_pandas(FRAME).__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "table", [FRAME, pa.Table.from_pandas(FRAME), Stream()], ids=["pandas", "Arrow", "a stream"]
)
def test_tables_in_memory(table, raw_sequences):
    assert raw_sequences(load_interactions(table)) == EXPECTED


@pytest.mark.parametrize(
    "fields",
    [
        {"reviewerID": "{user}", "asin": "{item}", "overall": 5.0, "unixReviewTime": "{seconds}"},
        {
            **{"user_id": "{user}", "asin": "variant", "parent_asin": "{item}", "rating": 5.0},
            "timestamp": "{milliseconds}",
        },
    ],
    ids=["2014", "2023"],
)
def test_reviews_of_amazon(fields, tmp_path, raw_sequences):
    lines = []
    for user, item, time in FRAME.itertuples(index=False):
        seconds = 1_400_000_000 + time
        known = {"user": user, "item": item, "seconds": seconds, "milliseconds": seconds * 1000}
        row = {name: known.get(str(one).strip("{}"), one) for name, one in fields.items()}
        lines.append(json.dumps(row))
    (tmp_path / "reviews.json").write_text("\n".join(lines))
    log = load_interactions(tmp_path / "reviews.json", rating_column="?")
    assert raw_sequences(log) == EXPECTED
    assert log.times.tolist() == [1_400_000_000_000_000 + 10**6 * time for time in (2, 3, 1)]
    assert log.ratings.tolist() == [5, 5, 5]


def test_fields_that_not_every_line_has(tmp_path, raw_sequences):
    rows = [{"user_id": 1, "item_id": 2, "timestamp": 3}, {"user_id": 1, "item_id": "x"}]
    rows.append({"user_id": 1, "item_id": 4, "timestamp": 5, "provider": "acme"})
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    log = load_interactions(tmp_path / "log.jsonl")
    assert raw_sequences(log) == {"1": ["2", "4"]}
    assert log.own_provider_ids.tolist() == [1, 3]


@pytest.fixture
def folder(tmp_path):
    """Three tables, one of them deeper, and what is no table."""
    (tmp_path / "deeper").mkdir()
    for name, row in zip(["b.csv", "a.csv", "deeper/c.csv"], ROWS, strict=True):
        (tmp_path / name).write_text(HEADER + row)
    for name in ("_SUCCESS", ".hidden.csv", "read.me", "_old.csv"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_folders_patterns_and_lists_of_files(folder, raw_sequences):
    for source in (folder, f"{folder}/**/[abc].csv", [folder / "b.csv", f"{folder}/**/?.csv"]):
        assert raw_sequences(load_interactions(source)) == EXPECTED
    # Each file once, in the order in which they are named.
    names = [folder / "b.csv", f"{folder}/*.csv"]
    assert [path.name for path in files_of(names)] == ["b.csv", "_old.csv", "a.csv"]
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="holds no prepared data and no table"):
        load_interactions(folder / "empty")
    with pytest.raises(UserError, match="No such file or folder"):
        load_interactions(f"{folder}/*.tsv")


def test_names_of_columns_can_be_given(folder, raw_sequences):
    (folder / "log.tsv").write_text("1\ttea\tann\n2\tjam\tann\n")
    header = ["when", "what", "who"]
    columns = {"user_column": "who", "item_column": "what", "time_column": "when"}
    log = load_interactions(folder / "log.tsv", header=header, **columns)
    assert raw_sequences(log) == {"ann": ["tea", "jam"]}
    FRAME.to_parquet(folder / "log.parquet")
    with pytest.raises(UserError, match=r"--header is for text tables"):
        load_interactions(folder / "log.parquet", header=header)


def test_files_that_do_not_go_together_are_refused(folder):
    (folder / "d.csv").write_text("user_id,timestamp,item_id\n")
    (folder / "e.tsv").write_text("user_id\n")
    (folder / "f.txt").write_text("1 2\n")
    for other, message in {
        "d.csv": r"d\.csv has the columns user_id, timestamp, item_id, and .*a\.csv user_id, item",
        "e.tsv": r"a\.csv and .*e\.tsv are of different kinds",
        "f.txt": r"f\.txt can't be read beside other files: tables end in \.csv",
    }.items():
        with pytest.raises(UserError, match=message):
            source_of_files([folder / "a.csv", folder / other])


def test_parquet_files_of_other_types_are_refused_where_they_are_read(tmp_path):
    """Read together, those of the second file would become those of the first: 007 would be 7."""
    FRAME.assign(item_id=[7, 8, 9], note=1).to_parquet(tmp_path / "1.parquet")
    FRAME.assign(item_id=["007", "8", "9"], note="a").to_parquet(tmp_path / "2.parquet")
    message = r"Column 'item_id' is integer in .*1\.parquet and text in .*2\.parquet: write them"
    with pytest.raises(UserError, match=message):
        load_interactions(tmp_path)
    days = pa.table({"timestamp": pa.array([3, 1, 2], pa.date32())})
    for name, times in (("1", days["timestamp"]), ("2", pa.array([3, 1, 2], pa.timestamp("us")))):
        table = pa.table(FRAME.assign(note=name)).set_column(2, "timestamp", times)
        pq.write_table(table, tmp_path / f"{name}.parquet")
    with pytest.raises(UserError, match=r"Column 'timestamp' is date32\[day\] in .*and time in"):
        load_interactions(tmp_path)
    # Widths are no matter, nor is what is not read.
    FRAME.astype({"timestamp": "int32"}).assign(note=1).to_parquet(tmp_path / "1.parquet")
    FRAME.assign(note="a").to_parquet(tmp_path / "2.parquet")
    assert load_interactions(tmp_path).num_actions == 6


def test_types_of_tables_are_told():
    table = pa.table(
        {
            "text": ["a"],
            "coded": pa.array(["a"]).dictionary_encode(),
            "whole": [1],
            "unsigned": pa.array([1], pa.uint64()),
            "number": pa.array([1], pa.decimal128(38, 0)),
            "price": pa.array([1], pa.decimal128(38, 2)),
            "fraction": [0.5],
            "day": pa.array([1], pa.date32()),
            "moment": pa.array([1], pa.timestamp("ns", "Europe/Berlin")),
            "list": [[1]],
            "bytes": [b"a"],
        }
    )
    kinds = ["text", "text", "integer", "text", "text", "decimal", "decimal", "time", "time"]
    kinds += ["other", "other"]
    assert list(source_of_table(table).columns.values()) == kinds


def test_what_is_no_table_is_refused():
    with pytest.raises(UserError, match="A dict is no table: give a path, or a table of pandas"):
        load_interactions({"user_id": [1]})
    with pytest.raises(UserError, match="The table can't be read: "):
        load_interactions(FRAME.assign(item_id=["tea", 1, b"x"]))


def write(path, frame):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_folders_and_files_are_called_as_people_like(suffix, tmp_path, raw_sequences):
    """A folder named like a column says nothing of it, and a name that looks like a pattern is a
    name."""
    path = write(tmp_path / "user_id=7" / f"log[1]*.{suffix}", FRAME.assign(user_id="007"))
    write(tmp_path / "user_id=7" / f"log1.{suffix}", FRAME)
    assert raw_sequences(load_interactions(path)) == {"007": ["tea", "jam", "tea"]}


CASES = pd.DataFrame(
    {"ITEM_ID": ["SKU1", "SKU2"], "user_id": "ann", "Item_Id": ["p", "q"], "timestamp": [1, 2]}
)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "memory"])
@pytest.mark.parametrize("name", ["ITEM_ID", "Item_Id"])
def test_columns_are_told_by_case(suffix, name, tmp_path, raw_sequences):
    source = CASES if suffix == "memory" else write(tmp_path / f"log.{suffix}", CASES)
    log = load_interactions(source, item_column=name)
    assert raw_sequences(log) == {"ann": CASES[name].tolist()}
    with pytest.raises(UserError, match="Several columns look like the item, ITEM_ID, Item_Id"):
        load_interactions(source)


def test_two_columns_of_a_name_in_parquet(tmp_path):
    columns = [["ann", "ann"], [3, 9], ["tea", "jam"], [7, 5], [1, 2]]
    names = ["user_id", "n", "item_id", "n", "timestamp"]
    pq.write_table(pa.table(columns, names=names), tmp_path / "log.parquet")
    with pytest.raises(UserError, match=r"log\.parquet has two columns 'n'. Rename one\."):
        load_interactions(tmp_path / "log.parquet")


@pytest.mark.parametrize("decimals", ["", ".5", ".123456", ".1234567", ".123456789"])
def test_decimals_of_seconds_beyond_the_sixth_are_cut(tmp_path, decimals):
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,time\nann,tea,2020-01-01T00:00:01{decimals}Z\n")
    expected = np.datetime64(f"2020-01-01T00:00:01{decimals[:7]}", "us").astype(int)
    assert load_interactions(path).times.tolist() == [expected]


def test_a_misspelt_argument_is_named():
    message = "load_interactions has no argument 'user_colum': did you mean 'user_column'?"
    with pytest.raises(UserError, match=re.escape(message)):
        load_interactions(FRAME, user_colum="who")


def test_days_of_pandas_limit_what_is_read():
    frame = pd.DataFrame(
        {"user": "ann", "item": ["tea", "jam"], "time": ["2020-01-01", "2020-02-01"]}
    )
    assert load_interactions(frame, since=pd.Timestamp("2020-01-02")).items.ids.tolist() == ["jam"]


def test_tables_that_cannot_be_meant():
    twice = pd.DataFrame([["ann", "tea", 1, "bob"]], columns=["user", "item", "time", "user"])
    with pytest.raises(UserError, match="two columns 'user'"):
        load_interactions(twice)
    with pytest.raises(UserError, match="one at a time: put them together"):
        load_interactions([FRAME, FRAME])
