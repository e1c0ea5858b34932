"""Exporting and recommending from the command line."""

import dataclasses
import importlib
import json
import shutil
import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf

from tf_iclrec import PopularityRecommender, fit, make_config, recommend
from tf_iclrec.data.splits.everything import everything
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.run_directory import FORMAT

from .afterwards import AFTERWARDS, training_without
from .command_line import check_refused, refused, run_here, run_until

# The package's attribute of this name is the function.
command = importlib.import_module("tf_iclrec.recommend")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a log with user ids u0, u1, ... in columns of other names."""
    folder = tmp_path_factory.mktemp("trained")
    log, _ = planted_intents(num_users=60, num_items=40, num_intents=3)
    table = pd.DataFrame(
        {
            "who": [f"u{user}" for user, n in enumerate(log.lengths) for _ in range(n)],
            "what": log.items.decode(log.item_ids),
            "when": range(log.num_actions),
        }
    )
    table.to_csv(folder / "log.csv", index=False)
    items = pd.DataFrame({"what": log.items.ids})
    items["brand"] = [f"brand {row % 4}" for row in range(len(items))]
    items["kind"] = [f"all|kind {row % 3}" for row in range(len(items))]
    items.to_csv(folder / "items.csv", index=False)
    config = make_config(
        model="provider_sum",
        data=str(folder / "log.csv"),
        user_column="who",
        item_column="what",
        time_column="when",
        items=str(folder / "items.csv"),
        provider_column="brand",
        item_attributes="kind",
        hidden_dim=8,
        num_blocks=1,
        epochs=1,
        max_length=20,
    )
    with training_without(*AFTERWARDS):
        return fit(config, folder / "run"), folder / "run"


def test_export_writes_the_next_version(trained, tmp_path):
    _, path = trained
    output = tmp_path / "models" / "shop"
    (output / "1").mkdir(parents=True)
    result = run_here("export", path, "--output", output, "--k", 3, "--max-k", 6)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"SavedModel: {output / '2'}\n"
    assert sorted(folder.name for folder in output.iterdir()) == ["1", "2"]
    loaded = tf.saved_model.load(str(output / "2"))
    answer = loaded.signatures["serving_default"](history=tf.constant([["1"]]))
    assert answer["item_ids"].shape == (1, 3)


def test_export_goes_to_a_folder_named_like_the_run(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, path = trained
    result = run_here("export", path, "--ann", "vectors")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "savedmodels" / "run" / "1" / "saved_model.pb").is_file()
    assert (tmp_path / "vectors" / "items.parquet").is_file()
    assert "Item vectors: vectors, 39 items, flat index" in result.stdout


def test_what_ann_refuses_is_refused_before_a_version_is_written(trained, tmp_path, monkeypatch):
    finished, path = trained
    output = tmp_path / "shop"
    arguments = ["export", path, "--output", output, "--ann", tmp_path / "ann"]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "faiss", None)
        refused("Faiss is not installed", *arguments)
    scores = PopularityRecommender.from_training_data(finished.split)
    popular = dataclasses.replace(finished, model=scores)
    monkeypatch.setattr("tf_iclrec.export.load_run", lambda *given, **settings: popular)
    refused("This model has no item vectors", *arguments)
    assert not output.exists()
    assert not (tmp_path / "ann").exists()


def test_a_run_that_is_trained_on_everything_is_exported_with_ann(trained, tmp_path, monkeypatch):
    finished, path = trained
    refit = dataclasses.replace(finished, split=everything(finished.interactions))
    monkeypatch.setattr("tf_iclrec.export.load_run", lambda *given, **settings: refit)
    arguments = ["--output", tmp_path / "shop", "--ann", tmp_path / "ann"]
    result = run_here("export", path, *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        f"Item vectors: {tmp_path / 'ann'}, 39 items, flat index\n"
        f"SavedModel: {tmp_path / 'shop' / '1'}\n"
    )


def test_recommend_writes_all_users(trained, tmp_path):
    finished, path = trained
    result = run_here("recommend", path, "--output", tmp_path / "recs.parquet", "--k", 4)
    assert result.returncode == 0, result.stderr
    assert "60/60" in result.stdout
    recommended = pd.read_parquet(tmp_path / "recs.parquet")
    assert recommended["user_id"].unique().tolist() == finished.interactions.users.tolist()
    assert (recommended.groupby("user_id").size() == 4).all()
    assert not recommended["from_popularity"].any()


@pytest.mark.parametrize("form", ["txt", "csv", "parquet"])
def test_recommend_takes_users_and_items_from_files(trained, tmp_path, form):
    _, path = trained
    users, items = ["u5", "nobody"], ["1", "2", "3", "x"]
    if form == "txt":
        (tmp_path / "users.txt").write_text("u5\n\nnobody\n")
        (tmp_path / "items.txt").write_text("1\n2\n3\nx\n")
    else:
        for name, column, ids in (("users", "who", users), ("items", "what", items)):
            frame = pd.DataFrame({"other": ids, column: ids})
            if form == "csv":
                frame.to_csv(tmp_path / f"{name}.csv", index=False)
            else:
                frame.to_parquet(tmp_path / f"{name}.parquet")
    arguments = ["--output", tmp_path / "recs.parquet", "--users", tmp_path / f"users.{form}"]
    arguments += ["--candidates", tmp_path / f"items.{form}", "--keep-seen"]
    result = run_here("recommend", path, *arguments)
    assert result.returncode == 0, result.stderr
    recommended = pd.read_parquet(tmp_path / "recs.parquet")
    assert "1 of 2 users in " in result.stdout
    assert f"1 of 4 ids in {tmp_path}/items.{form} are no items of this run." in result.stdout
    assert recommended["user_id"].tolist() == ["u5"] * 3 + ["nobody"] * 3
    assert set(recommended["item_id"]) == {"1", "2", "3"}
    assert recommended["from_popularity"].tolist() == [False] * 3 + [True] * 3


def test_recommend_keeps_a_file_unless_told(trained, tmp_path):
    _, path = trained
    output = tmp_path / "recs.parquet"
    output.write_text("precious")
    (tmp_path / "users.txt").write_text("u5\n")
    # On a day when nothing is out of stock.
    (tmp_path / "sold_out.txt").write_text("")
    arguments = ["--output", output, "--users", tmp_path / "users.txt"]
    arguments += ["--exclude", tmp_path / "sold_out.txt"]
    refused("exists. Use --overwrite", "recommend", path, *arguments)
    assert output.read_text() == "precious"
    result = run_here("recommend", path, *arguments, "--overwrite", "--k", 2)
    assert result.returncode == 0, result.stderr
    assert pd.read_parquet(output)["rank"].tolist() == [1, 2]


def test_recommend_only_some_items(trained, tmp_path):
    finished, path = trained
    arguments = ["--only", "kind=kind 0,kind 1", "--only", "provider=brand 2", "--k", 39]
    arguments += ["--without", "kind=kind 1", "--output", tmp_path / "recs.parquet"]
    result = run_here("recommend", path, *arguments)
    assert result.returncode == 0, result.stderr
    kinds, brands = (one.of_items for one in finished.interactions.catalogue.known.values())
    allowed = finished.interactions.items.ids[((kinds == 3) & (brands == 5))[3:]]
    assert set(pd.read_parquet(tmp_path / "recs.parquet")["item_id"]) == set(allowed)


def test_recommend_gives_reasons(trained, tmp_path):
    finished, path = trained
    (tmp_path / "users.txt").write_text("u5\nnobody\n")
    output = tmp_path / "recs.parquet"
    arguments = ["recommend", path, "--output", output, "--users", tmp_path / "users.txt"]
    refused("because must be 0, for no reasons, or how many", *arguments, "--because", -1)
    result = run_here(*arguments, "--k", 3, "--because", 2)
    assert result.returncode == 0, result.stderr
    expected = recommend(finished, user_ids=["u5", "nobody"], k=3, because=2)
    found = pd.read_parquet(output)
    assert found["because"].map(list).tolist() == expected["because"].map(list).tolist()
    assert found["because"].map(len).tolist()[3:] == [0] * 3
    assert found["because"].map(len).sum() > 0


def test_recommend_diversifies(trained, tmp_path):
    finished, path = trained
    output = tmp_path / "recs.parquet"
    arguments = ["recommend", path, "--output", output, "--k", 5, "--diversity"]
    refused("Lists can't be diversified by intents: the model has no intents.", *arguments, 0.5)
    refused("No way to diversify is 'brands'", *arguments, 0.5, "--diversify", "brands")
    refused("diversity must be from 0, for the plain list, to 1, not 2", *arguments, 2)
    assert list(tmp_path.iterdir()) == []
    result = run_here(*arguments, 1, "--diversify", "providers")
    assert result.returncode == 0, result.stderr
    found = pd.read_parquet(output)
    brands = finished.interactions.providers.of_items[
        finished.interactions.items.encode(found["item_id"])
    ]
    # Four brands in five places.
    assert (found.assign(brand=brands).groupby("user_id")["brand"].nunique() == 4).all()


def test_new_items_are_exported_and_recommended(trained, tmp_path):
    _, path = trained
    (tmp_path / "new.csv").write_text("what,brand,kind\nnew,brand 9,a|kind 1\n1,brand 1,kind 2\n")
    arguments = ["--new-items", tmp_path / "new.csv", "--output"]
    result = run_here("export", path, *arguments, tmp_path / "shop")
    assert result.returncode == 0, result.stderr
    found = recommend(tmp_path / "shop" / "1", [["1", "2"]], only={"provider": "brand 9"})
    assert found["item_id"].tolist() == ["new"]
    (tmp_path / "log.csv").write_text("who,what,when\neve,new,1\n")
    arguments += [tmp_path / "recs.parquet", "--histories", tmp_path / "log.csv"]
    result = run_here("recommend", path, *arguments, "--k", 3)
    assert result.returncode == 0, result.stderr
    found = pd.read_parquet(tmp_path / "recs.parquet")
    assert found["from_popularity"].tolist() == [False] * 3


def test_recommend_reads_newer_histories(trained, tmp_path):
    finished, path = trained
    (tmp_path / "new.csv").write_text("who,what,when\nu5,1,1\neve,2,1\neve,3,2\nu5,new,2\n")
    arguments = ["--output", tmp_path / "recs.parquet", "--histories", tmp_path / "new.csv"]
    result = run_here("recommend", path, *arguments, "--k", 39)
    assert result.returncode == 0, result.stderr
    recommended = pd.read_parquet(tmp_path / "recs.parquet")
    by_user = recommended.groupby("user_id")["item_id"].agg(set)
    items = set(finished.interactions.items.ids)
    assert by_user["u5"] == items - {"1"}
    assert by_user["eve"] == items - {"2", "3"}


@pytest.mark.parametrize("name", ["days/*.csv", "days", "tmall:days"])
def test_a_changed_history_is_another_request(trained, tmp_path, monkeypatch, name):
    """So that no parts are used that an interrupted command made of what was there before."""
    requests = []
    monkeypatch.setattr(
        command, "write_recommendations", lambda *_, request, **settings: requests.append(request)
    )
    monkeypatch.chdir(tmp_path)
    path = Path("days", "ijcai2016_taobao.csv")
    path.parent.mkdir()
    for items in ("1", "1", "1 22"):
        rows = [f"u5,{item},1,u5,8,{item},1,20150701\n" for item in items.split()]
        text = "".join(["who,what,when,use_ID,sel_ID,ite_ID,act_ID,time\n", *rows])
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        result = run_here("recommend", trained[1], "--output", "recs.parquet", "--histories", name)
        assert result.returncode == 0, result.stderr
    assert requests[0] == requests[1] != requests[2]


def test_an_interrupted_recommend_goes_on(trained, tmp_path):
    """Enough users for several chunks, the first of which is there after the interruption."""
    _, path = trained
    (tmp_path / "users.txt").write_text("\n".join(f"u{row % 60}" for row in range(90_000)))
    output = tmp_path / "recs.parquet"
    arguments = [path, "--output", output, "--users", tmp_path / "users.txt"]
    part = tmp_path / ".recs.parquet.parts" / "000000.parquet"
    code, errors = run_until(part, signal.SIGINT, "recommend", *arguments)
    assert code == 130
    assert errors == "interrupted. The same command goes on after the last chunk.\n"
    assert not output.exists()
    assert part.exists()
    assert run_here("recommend", *arguments).returncode == 0
    assert pd.read_parquet(output, columns=["user_id"])["user_id"].nunique() == 60
    assert not part.parent.exists()


@pytest.fixture
def broken(trained, tmp_path):
    """A copy of the run, to break."""
    return shutil.copytree(trained[1], tmp_path / "broken")


@pytest.mark.parametrize("command", ["export", "recommend", "evaluate"])
def test_unfinished_and_newer_runs_are_refused(broken, tmp_path, command):
    arguments = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    # It would find them damaged.
    (broken / "checksums.json").unlink()
    (broken / "format.json").write_text(json.dumps({"format": 99}))
    refused("has format 99, and this version of tf_iclrec", command, broken, *arguments)
    (broken / "format.json").write_text(json.dumps({"format": 1}))
    refused("of an earlier version of tf_iclrec (format 1,", command, broken, *arguments)
    (broken / "format.json").write_text(json.dumps({"format": FORMAT}))
    (broken / "metrics.json").unlink()
    refused("is not finished. Continue it: python -m", command, broken, *arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--users", "nowhere.txt"], "No such file: nowhere.txt"),
        (["--users", "empty.txt"], "empty.txt holds no ids"),
        (["--users", "wrong.csv"], "wrong.csv has no column 'who', only a, b"),
        (["--exclude", "nowhere.txt"], "No such file: nowhere.txt"),
        (["--candidates", "strangers.txt"], "None of the candidates is an item"),
        (["--histories", "wrong.csv"], "No column 'who' in wrong.csv"),
        (["--only", "kind"], "A filter is written name=value,value, not 'kind'"),
        (
            ["--only", "color=red"],
            "Items can't be told by 'color': what is known of them is",
        ),
        (["--without", "kind=kid 0"], "No item of the data has the kind 'kid 0'"),
        (["--new-items", "wrong.csv"], "wrong.csv has no column 'what', 'kind'"),
        (["--k", 0], "k must be from 1 to 39, the number of items, not 0"),
        (["--k", 40], "k must be from 1 to 39"),
        (["--output", "no/such/folder.parquet"], "No such folder: no/such"),
        (["--outptu", "x"], "did you mean '--output'?"),
        (["--output", "recs.csv"], "A Parquet file is written: name it recs.parquet."),
        (["--diversify", "providers"], "--diversify needs --diversity: how much, from 0 to 1."),
        (["--only", "kind=kind 1", "--without", "kind=kind 1"], "No item is left: none has all"),
    ],
)
def test_bad_requests_get_one_clear_line(trained, tmp_path, monkeypatch, arguments, message):
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "strangers.txt").write_text("soap\n")
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    result = run_here("recommend", trained[1], "--output", "recs.parquet", *arguments)
    check_refused(result, message)
    assert sorted(tmp_path.iterdir()) == before


def test_export_refuses_what_it_cannot_do(trained, tmp_path):
    _, path = trained
    (tmp_path / "file").write_text("")
    arguments = ["--output", tmp_path / "out"]
    refused("is a file; the output must", "export", path, "--output", tmp_path / "file")
    refused("--k must be from 1", "export", path, *arguments, "--k", 5, "--max-k", 4)
    refused("exists. Remove it", "export", path, *arguments, "--ann", tmp_path)
    refused("is not a run directory", "export", tmp_path, *arguments)
    (tmp_path / "new.csv").write_text("what,brand,kind\nodd,brand 9,\n")
    odd = ["--new-items", tmp_path / "new.csv"]
    refused("None of the 1 new items can be added", "export", path, *arguments, *odd)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option",
    [
        *(["--k", 3], ["--keep-seen"], ["--because", 1], ["--only", "kind=kind 1"]),
        *(["--without", "kind=kind 1"], ["--exclude", "items.txt"], ["--candidates", "items.txt"]),
        *(["--diversity", 0.5], ["--users", "users.txt"]),
        ["--new-items", "new.csv"],
    ],
    ids=lambda option: option[0],
)
def test_another_option_is_another_request(trained, tmp_path, monkeypatch, option):
    """Or the parts of an interrupted command were taken for those of this one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "items.txt").write_text("1\n2\n")
    (tmp_path / "users.txt").write_text("u5\n")
    (tmp_path / "new.csv").write_text("what,brand,kind\nnew,brand 1,kind 1\n")
    requests = []
    monkeypatch.setattr(
        command, "write_recommendations", lambda *_, request, **settings: requests.append(request)
    )
    for further in ([], [], option):
        arguments = ["--output", "recs.parquet", "--diversity", 0.1, "--diversify", "providers"]
        arguments += further
        result = run_here("recommend", trained[1], *arguments)
        assert result.returncode == 0, result.stderr
    assert requests[0] == requests[1] != requests[2]
