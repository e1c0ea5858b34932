"""What the README says is run, word for word."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tf_iclrec import load_run, prepare
from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.data.synthetic import planted_intents

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def block_with(language, text):
    (block,) = [block for block in blocks(language) if text in block]
    return block


def execute(command, folder, **kwargs):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(ROOT)
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, **kwargs
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a `log.csv` and an `items.csv` of one's own."""
    path = tmp_path_factory.mktemp("readme")
    log, _ = planted_intents(num_users=200, num_items=60, num_intents=6)
    table = {
        "user_id": np.repeat(log.users, log.lengths),
        "item_id": log.items.decode(log.item_ids),
        "timestamp": np.arange(log.num_actions),
    }
    pd.DataFrame(table).to_csv(path / "log.csv", index=False)
    brands = [f"brand {row % 7}" for row in range(log.num_items)]
    table = pd.DataFrame({"item_id": log.items.ids, "provider": brands})
    table.to_csv(path / "items.csv", index=False)
    return path


@pytest.fixture(scope="module")
def own_run(folder):
    return execute(block_with("sh", "--output runs/mine"), folder, shell=True)


def test_the_shell_line_for_own_data_trains(own_run, folder):
    assert "NDCG@20" in own_run
    assert (folder / "runs" / "mine" / "saved_model" / "1" / "saved_model.pb").is_file()


def test_the_python_lines_for_own_data_train_and_save(folder):
    code = block_with("python", "model.fit(") + 'model.save("mine.keras")\n'
    code += 'again = keras.saving.load_model("mine.keras")\n'
    code += 'tf_iclrec.export_saved_model(again, split, "savedmodels/mine/1")\n'
    output = execute([sys.executable, "-c", code], folder)
    assert "val_NDCG@20" in output
    assert (folder / "savedmodels" / "mine" / "1" / "saved_model.pb").is_file()


def test_the_lines_that_prepare_a_log(folder, tmp_path, monkeypatch, capsys):
    """The lines of the README but for the training, in this process."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").symlink_to(folder / "log.csv")
    newer = pd.DataFrame({"user_id": ["new", "1"], "item_id": ["new", "x"], "timestamp": 9})
    newer.to_csv(tmp_path / "newer.csv", index=False)
    first, second, _ = block_with("sh", "--append data/mine").splitlines()
    for line in (first, second):
        prepare.main(shlex.split(line, comments=True)[3:])
    assert "Added to data/mine: 1 new users, 2 new items, 2 interactions" in capsys.readouterr().out
    assert "<html" in (tmp_path / "data" / "mine" / "report.html").read_text()
    assert read_prepared(tmp_path / "data" / "mine").num_users == 201


@pytest.mark.usefixtures("own_run")
def test_recommending_from_python_and_to_a_file(folder):
    output = execute([sys.executable, "-c", block_with("python", "user_ids=")], folder)
    assert output.count("item_id") == 2
    output = execute([sys.executable, "-c", block_with("python", "pa.table(")], folder)
    assert "from_popularity: bool" in output
    execute(block_with("sh", "tf_iclrec.recommend runs/mine"), folder, shell=True)
    assert len(pd.read_parquet(folder / "recs.parquet")) == 200 * 20


def test_the_provider_lines_train_and_use_providers(folder):
    output = execute(block_with("sh", "--items items.csv"), folder, shell=True)
    assert "Providers: 7, known for 60 of 60 items and 100.0% of interactions" in output
    output = execute([sys.executable, "-c", block_with("python", "provider_affinities")], folder)
    provider, best, shape = output.splitlines()
    assert provider.startswith("brand ")
    assert len(best.split()) == 5
    assert shape == "(1, 7)"


@pytest.fixture(scope="module")
def default_run(tmp_path_factory):
    """What `make train` prints, and the run that it leaves."""
    folder = tmp_path_factory.mktemp("default")
    (folder / "venv").symlink_to(sys.prefix)
    run = folder / "runs" / "completejourney"
    command = ["make", "-C", ROOT, "-o", folder / "venv" / "installed", "train"]
    return execute([*command, f"VENV={folder / 'venv'}", f"RUN={run}"], folder), run


@pytest.mark.slow
def test_make_train_does_what_is_said(default_run):
    figures = {
        line.split()[0]: [float(value) for value in line.split()[1:]]
        for line in default_run[0].splitlines()
        if line.startswith(("iclrec ", "popularity "))
    }
    # HR@5 to MRR@20: clearly better than popularity in every one.
    assert len(figures["iclrec"]) == 9
    for ours, popular in zip(figures["iclrec"], figures["popularity"], strict=True):
        assert ours > 1.4 * popular


@pytest.mark.slow
def test_the_request_to_tensorflow_serving_is_answered_as_shown(default_run):
    """The lines for a shell export to a folder that the served configuration names; the body
    of the request fits the signature, and the answer has what is shown."""
    run = default_run[1]
    lines = block_with("sh", "curl")
    (export,) = [line for line in lines.splitlines() if "tf_iclrec.export" in line]
    execute(export, run.parents[1], shell=True)
    assert 'name: "completejourney"' in (ROOT / "savedmodels" / "models.config").read_text()
    loaded = tf.saved_model.load(str(run.parents[1] / "savedmodels" / "completejourney" / "1"))
    request = json.loads(lines[lines.index("{") : lines.rindex("}") + 1])
    serve = loaded.signatures[request["signature_name"]]
    answer = serve(**{name: tf.constant(value) for name, value in request["inputs"].items()})
    shown = json.loads(block_with("json", "outputs"))["outputs"]
    assert {name: np.shape(value) for name, value in shown.items()} == {
        name: tuple(value.shape) for name, value in answer.items()
    }
    items = set(load_run(run).interactions.items.ids)
    assert set(np.ravel(request["inputs"]["history"])) <= items
    assert set(np.ravel(shown["item_ids"])) <= items
    assert answer["from_popularity"].numpy().tolist() == shown["from_popularity"]


def test_every_module_that_is_named_exists():
    for module in set(re.findall(r"python -m tf_iclrec\.(\w+)", README)):
        assert (ROOT / "tf_iclrec" / f"{module}.py").is_file()
    for path in re.findall(r"`((?:pipelines|benchmarks)/[\w./]+)`", README):
        assert (ROOT / path).exists()
