import pandas as pd
import pytest

from tf_iclrec import UserError
from tf_iclrec.data.reading import load_interactions, read_log, split_names


def log_of(*arguments, **settings):
    return read_log(*arguments, **settings).log


# Three users; bob is too short to be split, which is not asked here.
ROWS = ["ann,tea,1", "ann,jam,2", "ann,tea,3", "ann,oil,4", "bob,jam,5", "cat,oil,6", "cat,tea,7"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["user_id,item_id,timestamp", *ROWS]) + "\n")
    return str(path)


@pytest.fixture
def items(tmp_path):
    path = tmp_path / "items.csv"
    lines = ["item_id,provider,category,color", "tea,acme,Food|Drinks|Tea,green", "jam,,Food|Jam,"]
    path.write_text("\n".join([*lines, "soap,best,Home,white"]) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a,b", ("a", "b")), ("category, color", ("category", "color")), ("one", ("one",)), ("", ())],
)
def test_names_are_separated_by_commas(text, expected):
    assert split_names(text) == expected


def test_a_log_is_read_and_what_was_found_is_said(table, raw_sequences, capsys):
    log = log_of((table,))
    assert raw_sequences(log) == {
        **{"ann": ["tea", "jam", "tea", "oil"], "bob": ["jam"], "cat": ["oil", "tea"]},
    }
    assert log.providers is None
    assert capsys.readouterr().out == "Data: 3 users, 3 items, 7 interactions\n"


def test_columns_can_have_other_names(tmp_path, raw_sequences):
    path = tmp_path / "log.tsv"
    path.write_text("when\twhat\twho\tshop\n2\tx\tu\ta\n1\ty\tu\tb\n")
    log = log_of(
        (str(path),),
        user_column="who",
        item_column="what",
        time_column="when",
        provider_column="shop",
    )
    assert raw_sequences(log) == {"u": ["y", "x"]}
    assert log.providers.vocabulary.ids.tolist() == ["a", "b"]


def test_a_table_without_a_header_line(tmp_path, raw_sequences):
    path = tmp_path / "log.csv"
    path.write_text("\n".join(ROWS) + "\n")
    log = log_of((str(path),), header="user_id, item_id, timestamp")
    assert raw_sequences(log)["cat"] == ["oil", "tea"]


def test_the_core_is_what_is_counted(table, capsys):
    log = log_of((table,), min_user_count=2, min_item_count=2)
    assert (log.num_users, log.num_items) == (2, 2)
    assert "Data: 2 users, 2 items, 5 interactions\n" in capsys.readouterr().out


def test_providers_of_a_table_of_items(table, items, raw_providers_of_items, capsys):
    log = log_of((table,), items=items)
    assert raw_providers_of_items(log) == {"tea": "acme", "jam": "", "oil": ""}
    assert capsys.readouterr().out.splitlines()[1] == (
        f"Providers: 1, known for 1 of 3 items and 42.9% of interactions; not in {items}: 1 items"
    )
    assert not log.attributes


def test_further_attributes_of_the_table_of_items(table, items, capsys):
    log = log_of((table,), items=items, item_attributes="category, color")
    assert list(log.attributes) == ["category", "color"]
    category = log.attributes["category"]
    # Of a path the last part.
    assert category.vocabulary.ids.tolist() == ["Jam", "Tea"]
    assert dict(zip(log.items.ids, category.of_items[3:].tolist(), strict=True)) == {
        **{"jam": 3, "tea": 4, "oil": 1}
    }
    assert log.attributes["color"].vocabulary.ids.tolist() == ["green"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "Values of category: 2, known for 2 of 3 items",
        "Values of color: 1, known for 1 of 3 items",
    ]


def test_providers_in_the_log_itself(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp,provider\nu,x,1,a\nu,y,2,\nu,z,3,b\nu,x,4,a\n")
    log = log_of((str(path),))
    assert log.providers.vocabulary.ids.tolist() == ["a", "b"]
    assert capsys.readouterr().out.splitlines()[1] == (
        "Providers: 2, known for 2 of 3 items and 75.0% of interactions"
    )


def test_attributes_without_a_table_of_items_are_refused(table, capsys):
    with pytest.raises(UserError, match="item_attributes is of a table of items: name the"):
        read_log((table,), item_attributes="category")
    assert capsys.readouterr().out == ""


def test_a_column_of_providers_that_is_named_must_be_there(table):
    with pytest.raises(UserError, match=r"log\.csv has no column 'brand' of providers"):
        read_log((table,), provider_column="brand")


def test_a_missing_attribute_is_named(table, items):
    with pytest.raises(UserError, match=r"items\.csv has no column 'size'"):
        read_log((table,), items=items, item_attributes="color,size")


def test_rows_that_a_frame_lacks_are_said(capsys):
    rows = {"user": ["ann", "bob", None], "item": ["tea", "jam", "oil"], "time": [1, None, 3]}
    log = load_interactions(pd.DataFrame(rows), min_item_count=1)
    assert log.num_actions == 1
    said = capsys.readouterr().out.removeprefix("Dropped of 3 rows: ").strip().split(", ")
    assert sorted(said) == ["1 without a time", "1 without a user"]
    load_interactions(pd.DataFrame(rows).head(1))
    assert capsys.readouterr().out == ""
