"""What the README says is run, word for word; `make train` and what the guides say are run by
`make test-docs`."""

import subprocess

import numpy as np
import pandas as pd
import pytest

from tf_iclrec.data.synthetic import planted_intents

from .documents import ROOT, command_lines, run_line, run_page, small_models

README = (ROOT / "README.md").read_text()


@pytest.mark.usefixtures("not_compared")
def test_the_lines_for_own_data_train_recommend_and_export(tmp_path, monkeypatch):
    log, _ = planted_intents(num_users=200, num_items=60, num_intents=6)
    table = {
        "user_id": np.repeat(log.users, log.lengths),
        "item_id": log.items.decode(log.item_ids),
        "timestamp": np.arange(log.num_actions),
    }
    pd.DataFrame(table).to_csv(tmp_path / "log.csv", index=False)
    monkeypatch.chdir(tmp_path)
    with small_models(num_blocks=1, horizon=1):
        output = run_page(README)
    # Of the command, of Keras, and of the recommendations.
    for said in ("Test metrics, whole catalogue ranked", "val_NDCG@20", "from_popularity"):
        assert said in output
    for folder in ("runs/mine/saved_model/1", "savedmodels/mine/1"):
        assert (tmp_path / folder / "saved_model.pb").is_file()


def test_make_train_is_a_command_with_options_that_there_are():
    command = ["make", "--no-print-directory", "-n", "-o", "venv/installed", "train", "VENV=venv"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [words] = command_lines(printed[printed.index("venv/bin/python") :].replace("venv/bin/", ""))
    assert words[:3] == ["train", "--data", "completejourney"]
    assert "usage: python -m tf_iclrec.train" in run_line(*words, "--help")
