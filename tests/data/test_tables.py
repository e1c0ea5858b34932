import pandas as pd
import pytest

from tf_iclrec import UserError
from tf_iclrec.data.tables import as_text, read_columns


@pytest.fixture
def read_text(tmp_path):
    """A function that writes a file and reads columns of it."""

    def read(name, text, *columns):
        (tmp_path / name).write_bytes(text.encode())
        return read_columns(tmp_path / name, columns)

    return read


def test_only_the_wanted_columns_are_read(read_text):
    frame = read_text("t.csv", "a,b,c,d\n1,2,3,4\n", "c", "a")
    assert frame.to_dict("list") == {"a": ["1"], "c": ["3"]}


def test_only_the_wanted_columns_of_parquet_are_read(tmp_path):
    frame = pd.DataFrame({"a": ["x", None], "b": ["s", "t"], "c": [2**53 + 1, 3]}).set_index("b")
    frame.to_parquet(tmp_path / "t.parquet")

    def cells(*columns):
        return read_columns(tmp_path / "t.parquet", columns).fillna("").to_dict("list")

    assert cells("b", "a") == {"a": ["x", ""], "b": ["s", "t"]}
    assert list(cells("a", "missing")) == ["a", "c", "b"]


def test_all_columns_are_read_where_one_is_missing(read_text):
    assert list(read_text("t.csv", "a,b,c\n1,2,3\n", "a", "x")) == ["a", "b", "c"]


def test_cells_are_kept_as_they_are_written(read_text):
    frame = read_text("t.csv", "a,b,c,d\n01,1.50,03,04\n", "a", "b", "c")
    assert frame.values.tolist() == [["01", "1.50", "03"]]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.inter", "t.item"])
def test_an_empty_cell_is_missing_and_nothing_else(name, read_text):
    separator = "," if name == "t.csv" else "\t"
    text = "a,b\nx,\nNA,null\n,None\n".replace(",", separator)
    frame = read_text(name, text, "a", "b")
    assert frame.isna().values.tolist() == [[False, True], [False, False], [True, False]]
    assert frame.fillna("").values.tolist() == [["x", ""], ["NA", "null"], ["", "None"]]


@pytest.mark.parametrize("name", ["t.inter", "t.item"])
def test_types_behind_the_names_are_taken_off(name, read_text):
    frame = read_text(name, "a:token\tb:float_seq\n07\t1\n", "a", "b")
    assert frame.to_dict("list") == {"a": ["07"], "b": ["1"]}


def test_quotes_hold_cells_together_in_csv_files_alone(read_text):
    assert read_text("t.csv", 'a,b\n1,"x, y"\n', "a", "b")["b"].tolist() == ["x, y"]
    assert read_text("t.tsv", 'a\tb\n1\t"x\n2\ty"\n', "a", "b")["b"].tolist() == ['"x', 'y"']


def test_the_suffix_can_be_in_capitals(read_text):
    assert read_text("T.CSV", "a,b\n1,2\n", "a", "b").values.tolist() == [["1", "2"]]


def test_file_of_another_kind_is_refused_with_the_kinds_there_are(read_text):
    message = r"t\.txt is no table: its name must end in \.csv, \.tsv, \.parquet, \.inter, \.item\."
    with pytest.raises(UserError, match=message):
        read_text("t.txt", "a,b\n1,2\n", "a", "b")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x", None, ""], ["x", "", ""]),
        ([7, 8, 10], ["7", "8", "10"]),
        ([7, None, 100], ["7", "", "100"]),
        ([0.5, None, 2], ["0.5", "", "2"]),
        (pd.array([7, None, 10], "Int64"), ["7", "", "10"]),
        (pd.Categorical(["x", None, "x"]), ["x", "", "x"]),
        (["1.0", "2.50", None], ["1.0", "2.50", ""]),
    ],
    ids=["text", "integers", "integers with a hole", "floats", "Int64", "categories", "digits"],
)
def test_cells_of_any_type_become_text(cells, expected):
    assert as_text(pd.Series(cells)).tolist() == expected


@pytest.mark.parametrize("row", [1, 2])
def test_a_row_with_a_cell_too_many_is_refused(tmp_path, row):
    rows = ["item_id,title,provider", "1,Tea,acme", "2,Jam,best"]
    rows[row] = "7,Tea, green,acme"
    path = tmp_path / "items.csv"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(UserError, match=r"more cells than the 3|line 3, saw 4"):
        read_columns(path, ["item_id", "provider"])


def test_semicolons_separate_csv_files_whose_first_line_has_no_comma(read_text):
    text = 'a;b\n1,5;"x; y"\n'
    assert read_text("t.csv", text, "a", "b").to_dict("list") == {"a": ["1,5"], "b": ["x; y"]}
    assert list(read_text("u.csv", "a;b,c\n1;2,3\n", "c")) == ["c"]
