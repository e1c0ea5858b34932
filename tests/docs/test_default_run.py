"""`make train`, and what the guide to serving does with the run that it leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import load_run

from ..documents import ROOT, blocks_of

SERVING = (ROOT / "docs" / "guides" / "serve.md").read_text()
pytestmark = pytest.mark.docs


def block_with(page, language, text):
    (block,) = [one for one in blocks_of(page) if one.language == language and text in one.code]
    return block.code


def execute(command, folder, **kwargs):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(ROOT)
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, **kwargs
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def default_run(tmp_path_factory):
    """What `make train` prints, and the run that it leaves."""
    folder = tmp_path_factory.mktemp("default")
    (folder / "venv").symlink_to(sys.prefix)
    run = folder / "runs" / "completejourney"
    # Started from the items' spectral vectors, one epoch is enough to be better than popularity.
    command = ["make", "-C", ROOT, "-o", folder / "venv" / "installed", "train", "EPOCHS=1"]
    return execute([*command, f"VENV={folder / 'venv'}", f"RUN={run}"], folder), run


def test_make_train_does_what_is_said(default_run):
    figures = {
        line.split()[0]: [float(value) for value in line.split()[1:]]
        for line in default_run[0].splitlines()
        if line.startswith(("iclrec ", "popularity ")) and len(line.split()) == 10
    }
    assert f"Page: {default_run[1] / 'report.html'}" in default_run[0]
    assert "<h2" in (default_run[1] / "report.html").read_text()
    # HR@5 to MRR@20: clearly better than popularity in every one.
    assert len(figures["iclrec"]) == 9
    for ours, popular in zip(figures["iclrec"], figures["popularity"], strict=True):
        assert ours > 1.4 * popular


def test_the_request_to_tensorflow_serving_is_answered_as_shown(default_run):
    """The lines of the guide export to a folder that the served configuration names; the body of
    the request fits the signature, and the answer has what is shown."""
    run = default_run[1]
    lines = block_with(SERVING, "sh", "curl")
    (export,) = [line for line in lines.splitlines() if "tf_iclrec.export" in line]
    execute(export, run.parents[1], shell=True)
    assert 'name: "completejourney"' in (ROOT / "savedmodels" / "models.config").read_text()
    loaded = tf.saved_model.load(str(run.parents[1] / "savedmodels" / "completejourney" / "1"))
    request = json.loads(lines[lines.index("{") : lines.rindex("}") + 1])
    serve = loaded.signatures[request["signature_name"]]
    answer = serve(**{name: tf.constant(value) for name, value in request["inputs"].items()})
    shown = json.loads(block_with(SERVING, "json", "outputs"))["outputs"]
    assert {name: np.shape(value) for name, value in shown.items()} == {
        name: tuple(value.shape) for name, value in answer.items()
    }
    items = set(load_run(run).interactions.items.ids)
    assert set(np.ravel(request["inputs"]["history"])) <= items
    assert set(np.ravel(shown["item_ids"])) <= items
    assert answer["from_popularity"].numpy().tolist() == shown["from_popularity"]
