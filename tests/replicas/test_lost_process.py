import time

import numpy as np
import pytest

from tf_iclrec.checksums import read_sealed

from ..small_runs import read_history, write_log
from .processes import finish, start

OPTIONS = {
    "model": "iclrec_published",
    "num-intents": 6,
    "hidden-dim": 16,
    "num-blocks": 1,
    "max-length": 20,
    "batch-size": 64,
    "learning-rate-schedule": "constant",
    "seed": 3,
}


def training(folder, output, *options):
    settings = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]
    data = ["--data", folder / "log", "--output", output]
    return ["-m", "tf_iclrec.train", *data, *settings, *options]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The log, and `whole`, what two processes train without an incident."""
    folder = tmp_path_factory.mktemp("lost")
    write_log(folder / "log")
    for code, _, errors in finish(start(training(folder, folder / "whole", "--epochs", "3"))):
        assert code == 0, errors
    return folder


@pytest.mark.replicas
@pytest.mark.parametrize(("killed", "processes"), [(0, 2), (1, 2), (1, 1)])
def test_a_lost_process_ends_the_others_and_resume_goes_on(folder, tmp_path, killed, processes):
    output = tmp_path / "run"
    started = start(training(folder, output, "--epochs", "100", "--patience", "100"))
    deadline = time.time() + 400
    while not (output / "checkpoints" / "state.json").is_file() and time.time() < deadline:
        time.sleep(0.02)
    started[killed].kill()
    code, _, errors = finish(started, timeout=60)[1 - killed]
    assert code == 1
    assert errors.count("\n") == 1
    assert errors.startswith("error: ")
    assert "has lost another one" in errors
    assert "--resume" in errors

    # The history as a table may be one epoch behind, or not there yet.
    done = read_sealed(output / "checkpoints" / "state.json")["epochs_done"]
    resumed = training(folder, output, "--epochs", str(max(3, done)), "--resume")
    for code, _, errors in finish(start(resumed, processes)):
        assert code == 0, errors
    losses, whole = (
        [float(row["loss"]) for row in read_history(one)] for one in (output, folder / "whole")
    )
    assert len(losses) == max(3, done)
    # Other numbers drop out where another number of processes goes on.
    same = 3 if processes == 2 else done
    np.testing.assert_allclose(losses[:same][:3], whole[:same], rtol=1e-5)
    assert (output / "saved_model" / "1").is_dir()
