"""What the README says is run, word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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
    code += 'tf_iclrec.export_saved_model(again, log.items, "savedmodels/mine/1")\n'
    output = execute([sys.executable, "-c", code], folder)
    assert "val_NDCG@20" in output
    assert (folder / "savedmodels" / "mine" / "1" / "saved_model.pb").is_file()


@pytest.mark.usefixtures("own_run")
def test_the_served_model_answers(folder):
    output = execute([sys.executable, "-c", block_with("python", "signatures")], folder)
    assert output.count("tf.Tensor") == 2


def test_the_provider_lines_train_and_use_providers(folder):
    output = execute(block_with("sh", "--items items.csv"), folder, shell=True)
    assert "Providers: 7, known for 60 of 60 items and 100.0% of interactions" in output
    output = execute([sys.executable, "-c", block_with("python", "provider_affinities")], folder)
    provider, best, shape = output.splitlines()
    assert provider.startswith("brand ")
    assert len(best.split()) == 5
    assert shape == "(1, 7)"


@pytest.mark.slow
def test_make_train_does_what_is_said(tmp_path):
    installed = "venv/installed"
    (tmp_path / "venv").symlink_to(sys.prefix)
    command = ["make", "-C", ROOT, "-o", tmp_path / installed, "train"]
    command += [f"VENV={tmp_path / 'venv'}", f"RUN={tmp_path / 'run'}"]
    output = execute(command, tmp_path)
    figures = {
        line.split()[0]: [float(value) for value in line.split()[1:]]
        for line in output.splitlines()
        if line.startswith(("iclrec ", "popularity "))
    }
    # HR@5 to MRR@20: clearly better than popularity in every one.
    assert len(figures["iclrec"]) == 9
    for ours, popular in zip(figures["iclrec"], figures["popularity"], strict=True):
        assert ours > 1.4 * popular


def test_every_module_that_is_named_exists():
    for module in set(re.findall(r"python -m tf_iclrec\.(\w+)", README)):
        assert (ROOT / "tf_iclrec" / f"{module}.py").is_file()
    for path in re.findall(r"`((?:pipelines|benchmarks)/[\w./]+)`", README):
        assert (ROOT / path).exists()
