import os

import pytest

from tf_iclrec import UserError
from tf_iclrec.data.preparation.fingerprint import fingerprint


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


def test_what_is_known_by_name_has_its_name_alone():
    names = ["tfds:movielens/100k-ratings", "completejourney"]
    assert fingerprint(names) == [{"name": name} for name in names]


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(UserError, match="No such file or folder"):
        fingerprint([str(tmp_path / "none.csv")])
