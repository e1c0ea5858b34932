"""The pipelines' files, run as scripts; what they share, on a small log."""

import importlib
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from tf_iclrec import make_config

pytestmark = pytest.mark.slow

PIPELINES = Path(__file__).parents[1] / "pipelines"
SMALL = {
    "hidden_dim": 16,
    "num_blocks": 1,
    "num_intents": (4,),
    "batch_size": 32,
    "epochs": 1,
}


@pytest.fixture
def recipe(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(PIPELINES)
    monkeypatch.chdir(tmp_path)
    yield importlib.import_module("recipe")
    del sys.modules["recipe"]


@pytest.fixture
def sequences(tmp_path):
    """Sixty users, who walk along twenty items from places of their own."""
    starts = np.arange(60)[:, None] % 20
    items = (starts + np.arange(6)) % 20 + 1
    lines = [" ".join(map(str, [user, *row])) for user, row in enumerate(items, start=1)]
    path = tmp_path / "walks.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("name", ["beauty", "sports", "toys", "yelp"])
def test_a_pipeline_has_valid_settings(recipe, monkeypatch, name):
    calls = []
    monkeypatch.setattr(
        recipe,
        "run",
        lambda name, with_items=(), **settings: calls.append((name, with_items, settings)),
    )
    runpy.run_path(str(PIPELINES / f"{name}.py"), run_name="__main__")
    [(called, with_items, settings)] = calls
    assert called == name
    config = make_config(model="iclrec", data="log.csv", **settings)
    assert (config.ensemble.num_members, config.training.epochs) in {(1, 10), (3, 8)}
    config = make_config(model="iclrec_provider_sum", **settings | dict(with_items))
    assert config.ensemble.num_members >= 2 * config.initialization.spectral_members


def test_a_pipeline_trains_and_exports(recipe, monkeypatch, sequences, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["walks.py", str(sequences), "--seed", "7"])
    recipe.run("walks", with_items={"epochs": 5}, **SMALL)
    config = json.loads((tmp_path / "runs/walks/config.json").read_text())
    training = config["training"]
    assert (config["model"], training["seed"], training["epochs"]) == ("iclrec", 7, 1)
    metrics = json.loads((tmp_path / "runs/walks/metrics.json").read_text())
    assert f"{metrics['test']['NDCG@20']:.4f}" in capsys.readouterr().out
    # What the training has exported, not another one.
    of_run, served = (tmp_path / name for name in ("runs/walks/saved_model", "savedmodels/walks"))
    for part in ("saved_model.pb", "assets.extra/tf_serving_warmup_requests"):
        assert (served / "1" / part).read_bytes() == (of_run / "1" / part).read_bytes()
    assert [path.name for path in served.iterdir()] == ["1"]
    assert [path.name for path in served.parent.iterdir()] == ["walks"]


def test_a_pipeline_exports_in_the_first_of_several_processes(recipe, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["walks.py", "walks.txt"])
    monkeypatch.setattr(recipe, "fit", lambda *arguments: None)
    recipe.run("walks", **SMALL)
    assert not (tmp_path / "savedmodels").exists()


def test_a_pipeline_with_items_trains_the_joint_model(recipe, monkeypatch, sequences, tmp_path):
    table = tmp_path / "items.tsv"
    rows = [f"{item}\tbrand {item % 3}\tall|{item % 4}" for item in range(1, 21)]
    table.write_text("\n".join(["item_id\tprovider\tcategories", *rows]) + "\n")
    monkeypatch.setattr(sys, "argv", ["walks.py", str(sequences), "--items", str(table)])
    recipe.run("walks", with_items={"epochs": 2}, **SMALL)
    config = json.loads((tmp_path / "runs/walks/config.json").read_text())
    assert (config["model"], config["training"]["epochs"]) == ("iclrec_provider_sum", 2)
    assert config["data"]["item_attributes"] == "categories"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt"], "No such file or folder: missing.txt"),
        ([], "SEQUENCES"),
        (["missing.txt", "--sead", "1"], "did you mean '--seed'?"),
    ],
)
def test_a_pipeline_refuses_in_one_line(recipe, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["walks.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        recipe.run("walks", **SMALL)
    assert stopped.value.code == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
