"""What of a run is read, and how often, when it is loaded."""

import shutil
import zipfile

import numpy as np
import pytest

from tf_iclrec import SPLITS, UserError, by_time, fit, load_run, make_config
from tf_iclrec import checksums as module
from tf_iclrec.data.prepared import write_prepared

from .timed_logs import timed_planted_intents


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run whose model is trained again on everything."""
    folder = tmp_path_factory.mktemp("refit")
    write_prepared(timed_planted_intents(num_users=20, num_items=15, num_intents=3), folder / "log")
    fit(make_config("transitions", data=str(folder / "log"), refit=True), folder / "run")
    return folder / "run"


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("for_serving", "loaded", "other"),
    [(False, "model.keras", "final/model.keras"), (True, "final/model.keras", "model.keras")],
)
def test_the_model_that_is_loaded_is_checked_and_read_once(
    run, monkeypatch, for_serving, loaded, other
):
    expected = load_run(run, for_serving).model.weights
    digests = []
    digest = module.digest
    monkeypatch.setattr(module, "digest", lambda path: digests.append(path) or digest(path))
    monkeypatch.setattr(zipfile.ZipFile, "testzip", lambda archive: digests.append("testzip"))
    damage(run / other)
    found = load_run(run, for_serving).model.weights
    for one, weight in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, weight)
    assert [one for one in digests if one == "testzip" or one.suffix == ".keras"] == [run / loaded]
    damage(run / loaded)
    with pytest.raises(UserError, match=r"model\.keras is damaged: it is not as it was written"):
        load_run(run, for_serving)


def test_a_damaged_model_without_a_checksum_is_found(run):
    # As where a training is killed just before it writes that of its model.
    module.write_sealed(run / "checksums.json", {}, ["format.json", "config.json"])
    load_run(run)
    damage(run / "model.keras")
    with pytest.raises(UserError, match=r"model\.keras is damaged: its part .* is not as it was"):
        load_run(run)
    (run / "checksums.json").unlink()
    with pytest.raises(UserError, match=r"model\.keras is damaged: its part .* is not as it was"):
        load_run(run)


def test_a_split_that_became_another_one_is_no_measure(run, monkeypatch):
    """As one of one's own that was changed, or that draws anew each time."""
    before = load_run(run).split.digest()
    monkeypatch.setitem(SPLITS, "leave_one_out", lambda log: by_time(log, "0.5"))
    with pytest.raises(UserError, match="The split leave_one_out is another one than when the run"):
        load_run(run)
    # What is served is trained on everything.
    assert len(load_run(run, for_serving=True).split.test.users) == 0
    monkeypatch.undo()
    assert load_run(run).split.digest() == before
