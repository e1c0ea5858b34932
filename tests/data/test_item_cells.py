import csv
import decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import UserError, load_interactions, read_item_attribute

ROWS = [
    ["price", "provider", "item_id"],
    ["1.5", "acme", "007"],
    ["2", "", "7"],
    ["3", "NA", "1e3"],
]
EXPECTED = {"007": "acme", "7": "", "1e3": "NA"}


@pytest.fixture
def read_text(tmp_path):
    """A function that writes a table of items and reads it."""

    def read(name, text, *columns):
        (tmp_path / name).write_bytes(text.encode())
        return read_item_attribute(tmp_path / name, *columns)

    return read


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t"), ("item", "\t")])
def test_text_table_keeps_everything_as_written(suffix, separator, read_text):
    text = "\n".join(separator.join(row) for row in ROWS) + "\n"
    assert read_text(f"items.{suffix}", text) == EXPECTED


def test_recbole_header_carries_types(read_text):
    text = "item_id:token\tbrand:token_seq\tprice:float\n01\tacme inc\t2\n02\t\t3\n"
    assert read_text("t.item", text, "item_id", "brand") == {"01": "acme inc", "02": ""}


def test_parquet_table(tmp_path):
    pd.DataFrame({"item_id": ["007", "7"], "provider": ["acme", None]}).to_parquet(
        tmp_path / "items.parquet"
    )
    assert read_item_attribute(tmp_path / "items.parquet") == {"007": "acme", "7": ""}


@pytest.mark.parametrize(
    "providers",
    [[31, None, 40], pd.array([31, None, 40], "Int64"), pd.Categorical(["31", None, "40"])],
    ids=["floats", "Int64", "categories"],
)
def test_parquet_providers_can_be_numbers_or_categories(providers, tmp_path):
    table = pd.DataFrame({"item_id": [5, 6, 7], "provider": providers})
    table.to_parquet(tmp_path / "items.parquet")
    expected = {"5": "31", "6": "", "7": "40"}
    assert read_item_attribute(tmp_path / "items.parquet") == expected


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([1e16, 2.0, 2.5, None]),
        pa.array([decimal.Decimal("100.00"), decimal.Decimal("2.50"), None]),
        pa.array([decimal.Decimal("12345678901234567890"), None]),
        pa.array([True, False, None]),
        pa.array([7, None, 2**62]),
        pa.array(["07", None]).dictionary_encode(),
    ],
    ids=["floats", "decimals", "whole decimals", "bool", "integers", "categories"],
)
def test_ids_in_parquet_are_those_of_a_log(ids, tmp_path):
    columns = {"user_id": ["ann"] * len(ids), "item_id": ids, "timestamp": range(len(ids))}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    providers = [f"p{number}" for number in range(len(ids))]
    pq.write_table(pa.table({"item_id": ids, "provider": providers}), tmp_path / "items.parquet")
    found = read_item_attribute(tmp_path / "items.parquet")
    log = load_interactions(tmp_path / "log.parquet").items.ids
    assert len(log) == len(ids) - 1
    assert {*log} == {*found} - {""}


def test_a_hole_changes_no_number_in_parquet(tmp_path):
    table = {
        "item_id": pa.array([2**53 + 1, None, 2**53], pa.int64()),
        "provider": pa.array([2**64 - 1, 5, None], pa.uint64()),
    }
    pq.write_table(pa.table(table), tmp_path / "items.parquet")
    assert read_item_attribute(tmp_path / "items.parquet") == {
        **{str(2**53 + 1): str(2**64 - 1), "": "5"},
        str(2**53): "",
    }


def test_a_quote_is_part_of_a_brand(read_text):
    text = 'item_id\tprovider\n1\t"K" Line\n2\t5" Discs\n3\tBob\'s\n'
    assert read_text("items.tsv", text) == {"1": '"K" Line', "2": '5" Discs', "3": "Bob's"}


def test_a_row_can_come_twice(read_text):
    text = "item_id,provider\na,acme\na,acme\nb,\nb,\n"
    assert read_text("items.csv", text) == {"a": "acme", "b": ""}


@pytest.mark.parametrize("rows", ["a,acme\na,\n", "a,\na,acme\n"])
def test_a_known_provider_wins_over_an_empty_cell(rows, read_text):
    assert read_text("items.csv", "item_id,provider\n" + rows) == {"a": "acme"}


def test_item_with_two_providers_is_refused_with_both(read_text):
    text = "item_id,provider\na,acme\nb,best\nc,cosy\nb,dean\n"
    message = r"items\.csv: item 'b' has two values in column 'provider', 'best' and 'dean'"
    with pytest.raises(UserError, match=message):
        read_text("items.csv", text)


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ((), "'provider'"),
        (("sku",), "'provider'"),
        (("sku", "seller"), "'seller'"),
        (("item_id", "brand"), "'item_id'"),
    ],
)
def test_missing_column_is_named_with_those_that_are_there_and_the_options(
    columns, missing, read_text
):
    message = (
        rf"items\.csv has no column {missing}\. Columns there are: sku, brand\. "
        r"Rename yours, or name them with --item-column, --provider-column, --title-column, "
        r"--item-attributes and --item-labels, where the command has that\."
    )
    with pytest.raises(UserError, match=message):
        read_text("items.csv", "sku,brand\n1,acme\n", *columns)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"No such file: .*none\.csv"):
        read_item_attribute(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("items.csv", "", "items.csv is empty"),
        ("items.txt", "item_id,provider\n1,acme\n", "items.txt is no table"),
        ("items.csv", "item_id,provider\n", "items.csv has a header and no rows"),
        ("items.csv", "\n", "items.csv can't be read as a table"),
        ("items.parquet", "item_id,provider\n", "items.parquet can't be read as a table"),
    ],
)
def test_file_that_is_no_table_of_items_is_refused(name, text, message, read_text):
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        read_text(name, text)


@pytest.mark.parametrize(
    ("name", "num_providers", "num_known"),
    [
        ("Beauty", 432, 7428),
        ("Sports_and_Outdoors", 1172, 10999),
        ("Toys_and_Games", 658, 9549),
        ("Yelp", 0, 0),
    ],
)
def test_brands_of_the_published_sequence_files(name, num_providers, num_known, shared):
    log = load_interactions(shared / "data" / "sequences" / f"{name}.txt")
    table = read_item_attribute(shared / "data" / "items" / f"{name}.tsv")
    providers = log.with_item_providers(table).providers
    assert len(table) == log.num_items
    assert (len(providers.vocabulary), providers.num_known_items) == (num_providers, num_known)


def test_movielens_agrees_with_a_plain_reader(shared, raw_providers_of_items):
    folder = shared / "data" / "ml-100k"
    table = read_item_attribute(folder / "ml-100k.item", column="release_year")
    with (folder / "ml-100k.item").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    assert table == {item: year for item, _, year, _ in rows}
    log = load_interactions(folder / "ml-100k.inter").with_item_providers(table)
    assert raw_providers_of_items(log) == table
    assert len(log.providers.vocabulary) == 73
