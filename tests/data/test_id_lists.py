import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_iclrec import UserError
from tf_iclrec.data.id_lists import read_ids

IDS = ["7", "ann", "07", "7"]


@pytest.mark.parametrize("form", ["txt", "csv", "tsv", "inter", "parquet"])
def test_ids_are_read_as_they_are_written(tmp_path, form):
    path = tmp_path / f"users.{form}"
    frame = pd.DataFrame({"age": range(5), "user_id": [*IDS[:2], None, *IDS[2:]]})
    if form == "txt":
        path.write_text("7\n ann \n\n07\n7")
    elif form == "parquet":
        frame.to_parquet(path)
    else:
        names = ["age:float", "user_id:token"] if form == "inter" else None
        separator = "," if form == "csv" else "\t"
        frame.to_csv(path, index=False, sep=separator, header=names or True)
    assert list(read_ids(path, "user", "user_id")) == IDS


def test_a_mark_of_the_encoding_is_no_part_of_an_id(tmp_path):
    (tmp_path / "users.txt").write_text("ann\nzoë\n", encoding="utf-8-sig")
    assert list(read_ids(tmp_path / "users.txt", "user")) == ["ann", "zoë"]


@pytest.mark.parametrize("lines", ["zoë\n", "ann\n" * 10_000 + "zoë\n"])
def test_another_encoding_is_refused_wherever_it_is_seen(tmp_path, lines):
    path = tmp_path / "users.txt"
    path.write_text(lines, encoding="latin-1")
    with pytest.raises(UserError) as refused:
        list(read_ids(path, "user"))
    assert str(refused.value) == f"{path} is no UTF-8: save it in that encoding."


def test_numbers_in_parquet_become_text(tmp_path):
    pd.DataFrame({"user_id": [7, 12]}).to_parquet(tmp_path / "users.parquet")
    assert list(read_ids(tmp_path / "users.parquet", "user", "user_id")) == ["7", "12"]


@pytest.mark.parametrize("form", ["column", "index"])
def test_a_hole_changes_no_number_in_parquet(tmp_path, form):
    ids = pa.array([12345678901234567, None, 2**53 + 1])
    if form == "column":
        pq.write_table(pa.table({"user_id": ids}), tmp_path / "users.parquet")
    else:
        frame = pd.DataFrame({"user_id": ids.to_pandas(types_mapper=pd.ArrowDtype), "age": 1})
        frame.set_index("user_id").to_parquet(tmp_path / "users.parquet")
    found = list(read_ids(tmp_path / "users.parquet", "user"))
    assert found == ["12345678901234567", "9007199254740993"]


@pytest.mark.parametrize("form", ["txt", "csv", "parquet"])
def test_a_file_is_read_in_pieces(tmp_path, form, monkeypatch):
    monkeypatch.setattr("tf_iclrec.data.tables._CHUNK_SIZE", 7)
    ids = [f"u{row}" for row in range(100)]
    path = tmp_path / f"users.{form}"
    frame = pd.DataFrame({"user_id": ids})
    if form == "txt":
        path.write_text("\n".join(ids))
    elif form == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    assert list(read_ids(path, "user", "user_id")) == ids


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("users.csv", "a,b\n1,2\n", "has no column 'user_id', only a, b"),
        ("users.csv", "user_id\n", "holds no ids"),
        ("users.csv", "", "is empty"),
        ("users.txt", " \n", "holds no ids"),
        ("users.parquet", "text", "can't be read as a table"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        list(read_ids(tmp_path / name, "user", "user_id"))
    with pytest.raises(UserError, match="No such file"):
        read_ids(tmp_path / "nowhere.txt", "user", "user_id")
