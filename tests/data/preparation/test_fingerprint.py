import os
from pathlib import Path

import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.preparation.duckdb_engine import DuckDBEngine
from tf_iclrec.data.preparation.fingerprint import fingerprint
from tf_iclrec.data.prepared import write_prepared

from ..small_logs import LOG


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,timestamp\nann,tea,1\n")
    return path


def test_the_same_file_is_known_again_by_any_name(log, monkeypatch):
    before = fingerprint([str(log)])
    log.read_text()
    monkeypatch.chdir(log.parent)
    assert fingerprint(["log.csv"]) == fingerprint(["*.csv"]) == before
    assert before[0]["name"] == str(log.resolve())


def test_a_change_of_size_or_time_is_seen(log):
    before = fingerprint([str(log)])
    os.utime(log, ns=(0, before[0]["changed"] + 1))
    assert fingerprint([str(log)]) != before
    os.utime(log, ns=(0, before[0]["changed"]))
    assert fingerprint([str(log)]) == before
    with log.open("a") as file:
        file.write("bob,tea,2\n")
    os.utime(log, ns=(0, before[0]["changed"]))
    assert fingerprint([str(log)]) != before


def test_a_folder_is_all_of_its_files(log):
    (log.parent / "deeper").mkdir()
    (log.parent / "deeper" / "other.csv").write_text("x")
    names = [one["name"] for one in fingerprint([str(log.parent)])]
    assert names == [str(log.parent / "deeper" / "other.csv"), str(log)]


def test_prepared_data_is_what_is_in_its_folder(tmp_path):
    write_prepared(LOG, tmp_path)
    names = {Path(one["name"]).name for one in fingerprint([str(tmp_path)])}
    assert {"item_ids.npy", "offsets.npy", "users.json", "items.json", "metadata.json"} <= names


def test_a_file_that_changes_while_it_is_read_is_refused(log, monkeypatch):
    read = DuckDBEngine.read

    def read_slowly(self, source, columns):
        rows = read(self, source, columns)
        with log.open("a") as file:
            file.write("bob,tea,2\n")
        return rows

    monkeypatch.setattr(DuckDBEngine, "read", read_slowly)
    message = f"{log} was changed while it was read: try again when it is complete"
    with pytest.raises(UserError, match=message):
        load_interactions(log)
    monkeypatch.undo()
    assert load_interactions(log).num_users >= 2


def test_what_is_known_by_name_has_its_name_alone():
    names = ["tfds:movielens/100k-ratings", "completejourney"]
    assert fingerprint(names) == [{"name": name} for name in names]


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(UserError, match="No such file or folder"):
        fingerprint([str(tmp_path / "none.csv")])
