"""Newer tables are read as those of the run were, whoever was told how."""

import importlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tf_iclrec import fit, load_run, make_config
from tf_iclrec.data.synthetic import planted_intents

from .command_line import run_here

# The package's attribute of this name is the function.
command = importlib.import_module("tf_iclrec.recommend")


@pytest.fixture(scope="module")
def log():
    """A table whose columns can't be guessed."""
    made, _ = planted_intents(num_users=60, num_items=40, num_intents=3)
    return pd.DataFrame(
        {
            "who": [f"u{user}" for user, n in enumerate(made.lengths) for _ in range(n)],
            "what": made.items.decode(made.item_ids),
            "when": range(made.num_actions),
        }
    )


def test_newer_histories_are_read_as_the_data_were(tmp_path):
    """Their rows count by rating, order and repeats as those of the run do, however few."""
    read = {"rating_column": "liked", "min_rating": 3.0, "time_unit": "nanoseconds"}
    read |= {"repeats": "first", "min_user_count": 5, "since": "2020-01-01"}
    data = make_config("transitions", data="log.csv", **read).data
    (tmp_path / "new.csv").write_text(
        "user,item,time,liked\neve,a,8000000000000000000,5\neve,b,2,4\neve,c,3,1\neve,b,4,5\n"
    )
    newer = command._load_like(str(tmp_path / "new.csv"), data)
    assert newer.items.decode(newer.item_ids).tolist() == ["b", "a"]
    # Ratings that nothing depends on need not be there.
    read = {"rating_column": "stars", "time_unit": "nanoseconds"}
    data = make_config("transitions", data="log.csv", **read).data
    assert command._load_like(str(tmp_path / "new.csv"), data).num_actions == 4


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_newer_histories_are_read_as_prepared_data_were(log, tmp_path, monkeypatch):
    """Of prepared data, whose settings name no columns, it is how they were prepared that counts;
    the folder need not be there any more."""
    monkeypatch.chdir(tmp_path)
    table = log.assign(liked=4)
    # A second user and a second item column, so that neither can be guessed.
    table.assign(user=1, item=1).to_csv("log.csv", index=False)
    columns = ["--user-column", "who", "--item-column", "what", "--time-column", "when"]
    read = ["--rating-column", "liked", "--min-rating", 3, "--repeats", "first"]
    result = run_here("prepare", "--data", "log.csv", "--output", "prepared", *columns, *read)
    assert result.returncode == 0, result.stderr
    run = fit(make_config("transitions", data="prepared"), "run")
    shutil.rmtree("prepared")
    assert run.how_read == load_run("run").how_read
    assert run.how_read["item_column"] == "what"
    Path("new.csv").write_text(
        "who,what,when,liked,user,item\neve,1,1,5,8,8\neve,2,2,1,8,8\neve,1,3,4,8,8\n"
    )
    Path("users.csv").write_text("user,who\n8,eve\n")
    arguments = ["--output", "recs.parquet", "--histories", "new.csv", "--users", "users.csv"]
    result = run_here("recommend", "run", *arguments, "--k", 39)
    assert result.returncode == 0, result.stderr
    found = pd.read_parquet("recs.parquet")
    # Item 2 was not liked, so that it may be recommended; of item 1 the first time counts.
    assert set(found["item_id"]) == set(run.interactions.items.ids) - {"1"}
    assert set(found["user_id"]) == {"eve"}


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_tables_of_items_have_the_columns_of_the_one_that_was_given(log, tmp_path, monkeypatch):
    """Whatever the log's are called: in the table they are guessed."""
    monkeypatch.chdir(tmp_path)
    log.rename(columns={"what": "artikel"}).to_csv("log.csv", index=False)
    columns = ["--user-column", "who", "--item-column", "artikel", "--time-column", "when"]
    result = run_here("prepare", "--data", "log.csv", "--output", "prepared", *columns)
    assert result.returncode == 0, result.stderr
    Path("items.csv").write_text("item_id,provider,title\n1,acme,One\n2,best,Two\n")
    fit(make_config("transitions", data="prepared", items="items.csv"), "run")
    run = load_run("run")
    assert run.how_read["item_column"] == "artikel"
    assert not any(run.how_read["item_table"].values())
    named = run.with_item_labels("items.csv").interactions.labels["title"]
    assert sorted(named.vocabulary.ids) == ["One", "Two"]
    # Also where no table was given, and the log's own name is in none.
    fit(make_config("transitions", data="prepared"), "plain")
    plain = load_run("plain")
    assert plain.how_read["item_table"]["item_column"] == "artikel"
    assert "title" in plain.with_item_labels("items.csv").interactions.labels
    # Lists of ids may be written either way.
    for head in ("artikel", "item_id"):
        Path("stock.csv").write_text(f"{head}\n1\nA-2\n")
        arguments = ["--exclude", "stock.csv", "--output", f"{head}.parquet"]
        result = run_here("recommend", "run", *arguments)
        assert result.returncode == 0, result.stderr
        assert "1 of 2 ids in stock.csv are no items of this run.\n" in result.stdout
        assert "1" not in set(pd.read_parquet(f"{head}.parquet")["item_id"])
