"""``python -m tf_iclrec.intents``."""

import json

import pyarrow.parquet as pq
import pytest

from tf_iclrec.run_directory import RunDirectory

from ..command_line import refused, run_here
from .conftest import AISLES, run_of, written


@pytest.fixture(scope="module")
def described(finished, tmp_path_factory):
    output = tmp_path_factory.mktemp("described") / "intents"
    return run_here("intents", finished, "--output", output, "--compare", finished), output


def test_everything_is_written(described):
    result, output = described
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in output.iterdir()) == [
        *("intents.html", "intents.json", "moves.parquet", "users.parquet")
    ]
    found = json.loads((output / "intents.json").read_text())
    assert (found["num_intents"], found["num_users"]) == (4, 240)
    assert [one["name"] for one in found["intents"]] == list(AISLES)
    assert {one["fate"] for one in found["comparison"]["changes"]} == {"stayed"}
    users = pq.read_table(output / "users.parquet")
    assert users.column_names == ["user_id", "intent", "affinity", "affinities"]
    assert users.num_rows == 240
    moves = pq.read_table(output / "moves.parquet").to_pandas()
    num_users = found["moves"]["num_users"]
    assert 200 < num_users <= 240
    assert moves.groupby("from_part")["users"].sum().tolist() == [num_users] * 3
    for one in found["intents"]:
        assert f"{one['users']:7} {one['share']:6.1%}  {one['name']}" in result.stdout


def test_the_page_says_the_same(described):
    _, output = described
    page = (output / "intents.html").read_text()
    for one in json.loads((output / "intents.json").read_text())["intents"]:
        assert f'<th scope="row">{one["name"]}</th>' in page
        assert f'<td class="number">{one["users"]}</td>' in page
    # Titles are text, not markup.
    assert "The &lt;" in page
    assert "The <" not in page
    for title in ("Map of 240 users", "Moves between intents", "Earlier intents"):
        assert title in page


def test_a_run_that_is_called_by_a_dot_has_its_name(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    result = run_here("intents", ".", "--output", tmp_path / "intents")
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "intents" / "intents.html").read_text()
    assert "</h1><p>finished</p>" in page


def test_a_folder_is_only_replaced_when_that_is_asked_for(described, finished, tmp_path):
    _, output = described
    refused("is not empty. Use --overwrite", "intents", finished, "--output", output)
    (tmp_path / "note.txt").write_text("mine")
    refused("holds no intents.html", "intents", finished, "--output", tmp_path)
    result = run_here("intents", finished, "--output", output, "--overwrite")
    assert result.returncode == 0, result.stderr
    assert "comparison" not in json.loads((output / "intents.json").read_text())


def test_what_cannot_be_described_is_refused(finished, planted, renamed, tmp_path):
    output = tmp_path / "intents"
    without = written(run_of(*planted, model="sasrec"), tmp_path / "sasrec")
    other = written(renamed, tmp_path / "other")
    refused("has no intents: its model, sasrec", "intents", without, "--output", output)
    refused("different data", "intents", finished, "--output", output, "--compare", other)
    refused(
        "There is no attribute or label 'colour' of the items: known are aisle, provider.",
        *("intents", finished, "--output", output, "--values", "aisle,colour"),
    )
    refused("is not a run directory", "intents", tmp_path, "--output", output)
    RunDirectory(other).metrics.unlink()
    refused("is not finished. Continue it", "intents", other, "--output", output)
    assert not output.exists()
