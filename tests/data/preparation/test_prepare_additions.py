"""Parts of files, and tables of items, added to prepared data."""

import json

import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.prepared import read_prepared

from .prepare_here import run

HEADER = "user_id,item_id,timestamp\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    days = [f"u{day % 3},i{day % 4},2017-06-{day:02}\n" for day in range(1, 21)]
    path.write_text(HEADER + "".join(days))
    return path


def append(log, output, since="", until=""):
    said = [*(["--since", since] if since else []), *(["--until", until] if until else [])]
    run("--append", output, "--data", log, *said)


def test_the_rest_of_a_file_is_added_and_nothing_twice(log, output, capsys):
    run("--data", log, "--output", output, "--since", "2017-06-05", "--until", "2017-06-10")
    append(log, output, "2017-06-10", "2017-06-15")
    append(log, output, until="2017-06-05")
    assert read_prepared(output).num_actions == 14
    capsys.readouterr()
    # What is within the parts, which touch, is there.
    append(log, output, "2017-06-03", "2017-06-13")
    assert f"Nothing to do: {output} holds this data already" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"in .*prepared already: .*until 2017-06-05\. Say with"):
        append(log, output)
    append(log, output, "2017-06-15")
    append(log, output)
    assert f"Nothing to do: {output} holds this data already" in capsys.readouterr().out
    added, whole = read_prepared(output), load_interactions(log)
    sequences = [
        {
            user: one.items.decode(one.item_ids[start:end]).tolist()
            for user, start, end in zip(one.users, one.offsets, one.offsets[1:], strict=False)
        }
        for one in (added, whole)
    ]
    assert sequences[0] == sequences[1]
    # The file is one, however often it was read.
    report = (output / "report.html").read_text()
    assert report.count(log.name) == 1


def test_what_was_prepared_before_times_were_noted_is_there_as_a_whole(log, output, capsys):
    run("--data", log, "--output", output)
    metadata = json.loads((output / "metadata.json").read_text())
    assert [sorted(one) for one in metadata["sources"]] == [["bytes", "changed", "name"]]
    append(log, output, "2017-06-15")
    assert f"Nothing to do: {output} holds this data already" in capsys.readouterr().out


def test_a_table_of_items_need_not_know_what_is_added(tmp_path, output, capsys):
    tables = {"old": "u0,tea,1\nu1,jam,2\n", "new": "u0,egg,3\n", "newer": "u1,ham,4\n"}
    for name, rows in tables.items():
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    items, others, newest = (tmp_path / f"{name}.csv" for name in ("items", "others", "newest"))
    items.write_text("item_id,provider\ntea,acme\njam,best\n")
    others.write_text("item_id,provider\nsofa,home\n")
    newest.write_text("item_id,provider\nham,best\n")
    run("--data", tmp_path / "old.csv", "--items", items, "--output", output)
    append(tmp_path / "new.csv", output)
    with pytest.raises(UserError, match="No item of the data is in the table of items"):
        run("--append", output, "--data", tmp_path / "newer.csv", "--items", others)
    run("--append", output, "--data", tmp_path / "newer.csv", "--items", newest)
    log = read_prepared(output)
    assert log.items.ids.tolist() == ["jam", "tea", "egg", "ham"]
    assert log.providers.vocabulary.ids.tolist() == ["acme", "best"]
    assert log.providers.of_items[3:].tolist() == [4, 3, 1, 4]
