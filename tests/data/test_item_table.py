"""What a table says of items, on its way into a log, its files and its unions."""

import json

import pandas as pd
import pytest

from tests.command_line import refused, run_here
from tf_iclrec import Interactions, UserError
from tf_iclrec.data import item_cells
from tf_iclrec.data.item_table import read_item_table
from tf_iclrec.data.new_items import larger_log
from tf_iclrec.data.preparation.append import append
from tf_iclrec.data.prepared import read_prepared, write_prepared
from tf_iclrec.data.tables import read_columns

LOG = Interactions.from_sequences({"ann": ["tea", "jam"], "bob": ["jam", "oil"]})
TABLE = pd.DataFrame(
    {
        "item_id": ["tea", "jam", "oil", "rye"],
        "Item Title": ["Green tea", "Jam | plum", "", "Rye"],
        "color": ["green", "red", "Warm|yellow", "brown"],
        "kind": ["drink", "food", "food", "food"],
        "acme or best": ["acme", "best", "best", "acme"],
    }
)


@pytest.fixture
def path(tmp_path):
    TABLE.to_csv(tmp_path / "items.csv", index=False)
    return tmp_path / "items.csv"


def described(path, **columns):
    return read_item_table(path, **columns).describe(LOG)


def test_titles_are_guessed_and_kept_whole(path):
    log = described(path)
    assert log.titles.tolist() == ["Jam | plum", "", "Green tea"]  # Items are jam, oil, tea.
    assert log.providers is None
    assert log.known_of_items == {}
    assert log.catalogue.known == {}


def test_labels_are_known_to_people_and_not_to_models(path):
    log = described(path, labels=("color",), attributes=("kind",), provider_column="acme or best")
    assert list(log.known_of_items) == ["color", "kind", "provider"]
    assert list(log.catalogue.known) == ["kind", "provider"]
    color = log.known_of_items["color"]
    assert color.vocabulary.decode(color.of_items[3:]).tolist() == ["red", "yellow", "green"]


def test_the_first_of_several_titles_counts(tmp_path):
    frame = pd.DataFrame({"item": ["tea", "tea"], "name": ["Green tea", "Tea"]})
    frame.to_csv(tmp_path / "items.tsv", index=False, sep="\t")
    assert described(tmp_path / "items.tsv").titles.tolist() == ["", "", "Green tea"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_table_is_read_once_and_only_what_is_wanted_of_it(form, tmp_path, monkeypatch):
    path, read = tmp_path / f"items.{form}", []
    TABLE.to_csv(path, index=False) if form == "csv" else TABLE.to_parquet(path)

    def read_and_note(*arguments):
        read.append(read_columns(*arguments))
        return read[-1]

    monkeypatch.setattr(item_cells, "read_columns", read_and_note)
    log = described(path, provider_column="acme or best", labels=("color",))
    assert list(log.known_of_items) == ["color", "provider"]
    assert log.titles.tolist() == ["Jam | plum", "", "Green tea"]
    (frame,) = read
    assert set(frame) == set(TABLE) - {"kind"}


def test_a_table_that_says_nothing_is_refused(path, tmp_path):
    TABLE[["item_id", "color"]].to_csv(tmp_path / "colors.csv", index=False)
    with pytest.raises(UserError, match="no column 'provider'"):
        described(tmp_path / "colors.csv")
    with pytest.raises(UserError, match="no column 'nome'"):
        described(path, title_column="nome")


def test_labels_survive_files_selection_union_and_further_items(path, tmp_path):
    log = described(path, labels=("color",))
    write_prepared(log, tmp_path / "prepared")
    assert read_prepared(tmp_path / "prepared").titles.tolist() == log.titles.tolist()
    assert list(read_prepared(tmp_path / "prepared").labels) == ["color", "title"]
    few = log.select(log.item_ids != log.items.encode(["jam"])[0])
    assert few.titles.tolist() == ["", "Green tea"]
    newer = Interactions.from_sequences({"cat": ["rye", "oil"]})
    newer = newer.with_item_label("title", {"rye": "Rye", "oil": "Olive oil"})
    both = append(log, newer)
    assert dict(zip(both.items.ids, both.titles, strict=True)) == {
        **{"jam": "Jam | plum", "oil": "Olive oil", "tea": "Green tea"},
        "rye": "Rye",
    }
    assert larger_log(log, {"fig": {}}).titles.tolist() == [*log.titles, ""]


def test_prepare_keeps_titles(path, tmp_path):
    rows = {"user_id": ["ann", "ann", "bob"], "item_id": ["tea", "jam", "oil"], "timestamp": 1}
    pd.DataFrame(rows).to_csv(tmp_path / "log.csv", index=False)
    options = ["--data", tmp_path / "log.csv", "--output", tmp_path / "out"]
    result = run_here("prepare", *options, "--items", path, "--item-labels", "color")
    assert "Values of title: 2, known for 2 of 3 items" in result.stdout
    assert set(json.loads((tmp_path / "out" / "labels.json").read_text())) == {"color", "title"}
    refused(
        "title_column is of a table of items",
        "train",
        "--output",
        tmp_path / "run",
        "--title-column",
        "x",
    )
