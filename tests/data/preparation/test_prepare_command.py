"""``prepare`` from options to folders; in this process, since nothing here trains."""

import json

import numpy as np
import pytest

from tf_iclrec import UserError, load_interactions
from tf_iclrec.data.prepared import read_prepared

from .prepare_here import run

HEADER = "user_id,item_id,timestamp,provider\n"
ROWS = ["ann,tea,3,acme\n", "bob,tea,1,\n", "ann,jam,2,best\n", "bob,egg,5,acme\n", "cat,tea,4,\n"]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(ROWS))
    return path


def written(folder):
    """What is in a folder, by file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_again_is_nothing_to_do(log, output, capsys):
    options = ["--data", log, "--output", output, "--min-user-count", 2]
    run(*options)
    assert f"Prepared data: {output}" in capsys.readouterr().out
    before = written(output)
    run(*options)
    assert capsys.readouterr().out == (
        f"Nothing to do: {output} holds this data, prepared with these options.\n"
    )
    assert written(output) == before
    # Where the file or an option is another one, it is not the same.
    with pytest.raises(UserError, match=r"exists\. Use --overwrite to replace it"):
        run("--data", log, "--output", output)
    log.write_text(HEADER + "".join(ROWS[:4]))
    with pytest.raises(UserError, match=r"exists\. Use --overwrite to replace it"):
        run(*options)
    assert written(output) == before
    run(*options, "--overwrite")
    assert read_prepared(output).num_actions == 4
    assert sorted(path.name for path in output.parent.iterdir()) == ["log.csv", "prepared"]


def test_what_became_of_the_rows_is_noted(log, output):
    run("--data", log, "--output", output, "--since", "1970-01-01T00:00:02")
    metadata = json.loads((output / "metadata.json").read_text())
    assert metadata["preparation"]["rows_read"] == 5
    assert metadata["preparation"]["dropped"] == {"before --since": 1}
    assert metadata["options"]["since"] == "1970-01-01T00:00:02"
    assert (metadata["statistics"]["users"], metadata["statistics"]["actions"]) == (3, 4)


def test_only_prepared_data_is_replaced(log, output):
    output.mkdir()
    (output / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="holds something else than prepared data"):
        run("--data", log, "--output", output, "--overwrite")
    assert written(output) == {"thesis.tex": b"x"}


def test_a_failure_leaves_what_was_there(log, output):
    run("--data", log, "--output", output)
    before = written(output)
    log.write_text(HEADER + "ann,tea\n")
    with pytest.raises(UserError, match=r"log\.csv, line 2 has 2 cells, not 4\."):
        run("--data", log, "--output", output, "--overwrite")
    newer = log.rename(log.with_name("newer.csv"))
    with pytest.raises(UserError, match=r"newer\.csv, line 2 has 2 cells, not 4\."):
        run("--data", newer, "--append", output)
    assert written(output) == before
    assert sorted(path.name for path in output.parent.iterdir()) == ["newer.csv", "prepared"]


def test_additions_are_made_once(log, output, tmp_path, capsys):
    newer = tmp_path / "newer.csv"
    newer.write_text(HEADER + "bob,tea,6,\nann,tea,1,cosy\ndan,ham,7,\n")
    run("--data", log, "--output", output, "--repeats", "first")
    old = read_prepared(output)
    capsys.readouterr()
    run("--data", newer, "--append", output)
    # ann has tea earlier now, and once; so has bob.
    told = capsys.readouterr().out
    assert f"Added to {output}: 1 new users, 1 new items, 1 interactions" in told
    added = read_prepared(output)
    assert added.users.tolist() == [*old.users, "dan"]
    assert added.items.ids.tolist() == [*old.items.ids, "ham"]
    whole = load_interactions([log, newer], repeats="first")
    assert added.items.decode(added.item_ids).tolist() == (
        whole.items.decode(whole.item_ids).tolist()
    )
    np.testing.assert_array_equal(added.times, whole.times)
    before = written(output)
    for source in (newer, log):
        run("--data", source, "--append", output)
        assert f"Nothing to do: {output} holds this data already" in capsys.readouterr().out
    assert written(output) == before


@pytest.mark.parametrize("pattern", ["*.csv", ""])
def test_of_a_pattern_or_folder_only_new_files_are_added(pattern, log, output, capsys):
    days = log.parent / "days"
    days.mkdir()
    first = log.rename(days / "1.csv")
    run("--data", days / pattern, "--output", output)
    # Without the suffix, as stores of versions keep files.
    (log.parent / "blob").write_text(HEADER + "bob,tea,6,\ndan,ham,7,\n")
    second = days / "2.csv"
    second.symlink_to(log.parent / "blob")
    run("--data", days / pattern, "--append", output)
    assert "1 new users, 1 new items, 2 interactions" in capsys.readouterr().out
    assert read_prepared(output).num_actions == 7
    names = [one["name"] for one in json.loads((output / "metadata.json").read_text())["sources"]]
    assert names == [str(first), str(second.resolve())]
    run("--data", days / pattern, "--append", output)
    assert f"Nothing to do: {output} holds this data already" in capsys.readouterr().out


def test_a_file_that_has_grown_is_not_added_a_second_time(log, output):
    run("--data", log, "--output", output)
    before = written(output)
    with log.open("a") as file:
        file.write("dan,ham,7,\n")
    with pytest.raises(UserError) as refused:
        run("--data", log, "--append", output)
    assert str(refused.value) == (
        f"{log} was changed since it was added to {output}: give its new rows in a file of their "
        "own, or prepare all anew with --output and --overwrite."
    )
    assert written(output) == before


def test_what_is_added_is_read_alike(log, output, tmp_path):
    run("--data", log, "--output", output, "--repeats", "first")
    (tmp_path / "newer.csv").write_text(HEADER + "bob,tea,6,\n")
    with pytest.raises(UserError, match="was prepared with another value of repeats"):
        run("--data", tmp_path / "newer.csv", "--append", output, "--repeats", "last")
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="holds no data that was prepared by this command"):
        run("--data", log, "--append", tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name a folder to write with --output, or one to add to with --append"),
        (["--output", "x", "--append", "y"], "Name a folder to write with --output, or one to"),
        (["--output", "x", "--master", "local"], "The engine duckdb does not read --master"),
        (["--output", "x", "--engine", "dask"], "dask"),
        (["--output", "x", "--since", "June"], "'June' is no date"),
        (["--output", "x", "--since", "2020-01-02", "--until", "2020-01-01"], "is not before"),
        (["--output", "x", "--memory-limit", "much"], "much"),
    ],
)
def test_options_that_do_not_go_are_refused(options, message, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        run("--data", log, *options)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == [log]


def test_a_data_set_of_tensorflow_datasets_is_the_same_log(log, output, tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    tfds.core.add_data_dir(str(tmp_path / "sets"))
    run(
        "--data",
        log,
        "--output",
        output,
        "--rating-column",
        "timestamp",
        "--tfds",
        tmp_path / "sets",
    )
    # Times so soon after 1970 would be taken for seconds.
    again = load_interactions("tfds:prepared", rating_column="rating", time_unit="microseconds")
    expected = read_prepared(output)
    assert again.users.tolist() == expected.users.tolist()
    assert again.items.ids.tolist() == expected.items.ids.tolist()
    for name in ("item_ids", "offsets", "times", "ratings"):
        np.testing.assert_array_equal(getattr(again, name), getattr(expected, name))
    np.testing.assert_array_equal(again.provider_ids, expected.provider_ids)


def test_a_data_set_of_tensorflow_datasets_is_written_whenever_it_is_asked_for(
    log, output, tmp_path, capsys, monkeypatch
):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    sets = tmp_path / "sets"
    written_set = sets / "prepared" / "1.0.0"

    def users():
        found = tfds.builder_from_directory(str(written_set)).as_dataset(split="train")
        return sorted(one["user_id"].numpy().decode() for one in found)

    run("--data", log, "--output", output)
    # The data are there already.
    run("--data", log, "--output", output, "--tfds", sets)
    assert users() == ["ann", "bob", "cat"]
    assert sorted(path.name for path in written_set.parent.iterdir()) == ["1.0.0"]
    # Then the data set is, too.
    before = written(written_set)
    capsys.readouterr()
    run("--data", log, "--output", output, "--tfds", sets)
    kept = f"{written_set} is kept as it is. To write it anew, use --overwrite.\n"
    assert capsys.readouterr().out.endswith(kept)
    assert written(written_set) == before
    (tmp_path / "newer.csv").write_text(HEADER + "dan,tea,6,\n")
    monkeypatch.chdir(output)
    run("--data", tmp_path / "newer.csv", "--append", ".", "--tfds", sets)
    assert users() == ["ann", "bob", "cat", "dan"]
    monkeypatch.chdir(tmp_path)
    run("--data", log, "--output", output, "--tfds", sets, "--overwrite")
    assert users() == ["ann", "bob", "cat"]
    # Whose it is that has this name is not known: nothing is lost.
    output.rename(tmp_path / "elsewhere")
    before = written(written_set)
    with pytest.raises(UserError, match=r"1\.0\.0 exists\. Use --overwrite to replace it, or"):
        run("--data", log, "--output", output, "--tfds", sets)
    assert written(written_set) == before
    assert not output.exists()


def test_what_is_added_must_be_named(log, output):
    """The data that commands have by default are no part of anybody's log."""
    run("--data", log, "--output", output)
    before = written(output)
    with pytest.raises(UserError, match=r"Name the newer logs with --data\.$"):
        run("--append", output)
    assert written(output) == before


def test_rows_that_are_there_already_are_said(log, output, tmp_path, capsys):
    run("--data", log, "--output", output, "--min-user-count", 1)
    newer = tmp_path / "newer.csv"
    newer.write_text(HEADER + "".join(ROWS[:2]) + "ann,tea,9,acme\n")
    run("--append", output, "--data", newer)
    said = capsys.readouterr().out
    assert "Warning: 2 of them were there already, with the same user, item and time" in said
    assert "--min-user-count cut down what was there first, not what is added." in said
    assert read_prepared(output).num_actions == len(ROWS) + 3
    fresh = tmp_path / "fresh.csv"
    fresh.write_text(HEADER + "ann,tea,12,acme\n")
    run("--append", output, "--data", fresh)
    assert "already" not in capsys.readouterr().out


def test_rows_that_are_twice_in_what_is_added_are_not_said_to_be_there_already(tmp_path, capsys):
    for name, rows in (("log", ["ann,tea,1"]), ("newer", ["bob,jam,2", "bob,jam,2", "ann,tea,1"])):
        table = "user_id,item_id,timestamp\n" + "".join(f"{row}\n" for row in rows)
        (tmp_path / f"{name}.csv").write_text(table)
    run("--data", tmp_path / "log.csv", "--output", tmp_path / "out")
    run("--data", tmp_path / "newer.csv", "--append", tmp_path / "out")
    assert "Warning: 1 of them were there already" in capsys.readouterr().out
