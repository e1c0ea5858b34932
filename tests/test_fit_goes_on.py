"""Trainings that go on: after an interruption, a damaged file, more epochs, beside an older run."""

import json

import keras
import numpy as np
import pytest

from tf_iclrec import UserError, build_model, fit, load_interactions, load_run, make_config
from tf_iclrec.checksums import read_sealed, write_sealed
from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import read_config
from tf_iclrec.training.lazy_adam import LazyAdam

from .interruption import interrupted
from .small_runs import (
    QUICK,
    changed,
    fit_interrupted,
    read_history,
    weights_of,
    write_log,
    write_sequence_file,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_exported", "not_compared")]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def quick(log):
    """Nothing here depends on the model: this one's graphs are made soonest."""
    return make_config(data=log, **QUICK)


@pytest.mark.parametrize("sampling", ["popularity", "in_batch"])
def test_sampled_softmax_learns_and_goes_on_after_an_interruption(log, tmp_path, sampling):
    sampled = {"loss": "sampled_softmax", "sampling": sampling, "num_samples": 20}
    # Of some of the users, the same ones before and after.
    some = {"model": "gru4rec", "training_share": 0.6, "batch_size": 16}
    config = make_config(data=log, **QUICK | some | sampled)
    run = fit(config, tmp_path / "whole")
    assert isinstance(run.model.optimizer, LazyAdam)
    losses = [float(row["next_item"]) for row in read_history(tmp_path / "whole")]
    assert losses[-1] < losses[0]
    fit_interrupted(config, tmp_path / "run")
    resumed = fit(config, tmp_path / "run", resume=True)
    for one, other in zip(weights_of(run.model), weights_of(resumed.model), strict=True):
        np.testing.assert_array_equal(one, other)
    split = load_run(tmp_path / "run").split
    np.testing.assert_array_equal(split.train.lengths, run.split.train.lengths)
    assert ((split.train.lengths > 0).sum(), len(split.test.users)) == (120, 200)
    with pytest.raises(UserError, match="started with another value of training_share"):
        fit(changed(config, training_share=0.5), tmp_path / "run", resume=True)


def test_large_catalogues_get_the_sampled_softmax_and_are_told(log, tmp_path, monkeypatch, capsys):
    settings = QUICK | {"model": "sasrec", "num_blocks": 1, "horizon": 1, "num_samples": 20}
    config = make_config(data=log, **settings)

    def printed_by(training):
        with interrupted(epoch=0), pytest.raises(KeyboardInterrupt):
            fit(config, tmp_path / training)
        return capsys.readouterr().out

    printed = printed_by("small")
    assert "sampled softmax" not in printed
    assert "start at random" not in printed
    monkeypatch.setattr("tf_iclrec.systems.neural.MAX_SOFTMAX_ITEMS", 50)
    printed = printed_by("large")
    assert "Loss: sampled softmax (samples: popularity)" in printed
    assert "Item vectors start at random: there are more than 50 items." in printed
    assert build_model(config, read_prepared(log).catalogue).sampling.num_samples == 20


def test_patience_is_restored(quick, tmp_path):
    impatient = changed(quick, epochs=1, patience=1, learning_rate=1e-9)
    fit(impatient, tmp_path / "run")
    path = tmp_path / "run" / "checkpoints" / "state.json"
    # As if the first epoch had been the best by far: the next one can't be better.
    write_sealed(path, read_sealed(path) | {"best_score": 2.0})
    fit(changed(impatient, epochs=9), tmp_path / "run", resume=True)
    state = json.loads((tmp_path / "run" / "checkpoints" / "state.json").read_text())
    assert (state["epochs_done"], state["best_epoch"], state["best_score"]) == (2, 1, 2.0)


def test_a_log_that_has_grown_since_is_said_and_not_read(tmp_path, capsys):
    log = tmp_path / "log.txt"
    write_sequence_file(log)
    config = make_config(data=str(log), **QUICK | {"epochs": 1})
    before = fit(config, tmp_path / "run").split.interactions.num_actions
    more = changed(config, epochs=2)
    log.write_text(log.read_text() + "9999 1 2 3 4\n")
    capsys.readouterr()
    assert fit(more, tmp_path / "run", resume=True).split.interactions.num_actions == before
    said = f"By size or date, {log} is not what the run in {tmp_path / 'run'} was started with; "
    assert said in capsys.readouterr().out
    log.unlink()
    kept = fit(more, tmp_path / "run", resume=True).split.interactions
    assert "was started with" not in capsys.readouterr().out
    # So is one that is given.
    fit(more, tmp_path / "run", resume=True, interactions=kept)
    assert "was started with" not in capsys.readouterr().out
    fit(more, tmp_path / "run", resume=True, interactions=kept.select(kept.item_ids > 3))
    assert "The log that is given is not what the run in" in capsys.readouterr().out


def test_a_log_that_was_given_is_no_file_and_is_asked_for_by_what_starts_from_it(
    quick, tmp_path, capsys
):
    log = load_interactions(quick.data.source)
    run = fit(changed(quick, epochs=1), tmp_path / "run", interactions=log)
    assert run.config.data.source == ("(given in Python)",)
    # It goes on with what is kept, whether the log is given again or not.
    fit(changed(quick, epochs=2), tmp_path / "run", resume=True, interactions=log)
    again = fit(changed(quick, epochs=3), tmp_path / "run", resume=True)
    assert again.split.interactions.num_actions == log.num_actions
    assert again.config.data.source == ("(given in Python)",)
    assert "was started with" not in capsys.readouterr().out
    newer = make_config(init_from=tmp_path / "run")
    with pytest.raises(UserError, match="was given in Python and is in no file: name the newer"):
        fit(newer, tmp_path / "newer")


@pytest.mark.parametrize("name", ["epoch_2.weights.h5", "state.json"])
def test_after_a_damaged_epoch_the_one_before_is_used(quick, tmp_path, capsys, name):
    whole = fit(changed(quick, epochs=2), tmp_path / "run")
    damaged = tmp_path / "run" / "checkpoints" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    again = fit(changed(quick, epochs=2), tmp_path / "run", resume=True)
    printed = capsys.readouterr().out
    assert f"{name} is damaged: " in printed
    assert "Going on after the epoch before.\nResuming after epoch 1." in printed
    assert again.metrics == whole.metrics
    for one, other in zip(weights_of(again.model), weights_of(whole.model), strict=True):
        np.testing.assert_array_equal(one, other)
    for path in damaged.parent.glob("state*.json"):
        path.write_text("{")
    with pytest.raises(UserError, match=r"is damaged: .* no other checkpoint: train again"):
        fit(changed(quick, epochs=2), tmp_path / "run", resume=True)


def test_a_run_that_is_replaced_stays_until_the_new_one_is_finished(quick, tmp_path, capsys):
    config, output = changed(quick, epochs=1), tmp_path / "run"
    old = fit(config, output)
    longer = changed(config, epochs=2, seed=4)
    with interrupted(epoch=1), pytest.raises(KeyboardInterrupt):
        fit(longer, output, overwrite=True)
    assert load_run(output).metrics == old.metrics
    assert f"Until it is finished, the new run is in {output}.new." in capsys.readouterr().out
    new = fit(longer, output, resume=True)
    assert "Resuming after epoch 1." in capsys.readouterr().out
    assert load_run(output).metrics == new.metrics != old.metrics
    assert load_run(output).config.training.seed == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_run_can_be_continued_for_more_epochs(quick, tmp_path):
    output = tmp_path / "run"
    fit(changed(quick, epochs=1), output)
    with interrupted(epoch=2), pytest.raises(KeyboardInterrupt):
        fit(changed(quick, epochs=3, patience=9), output, resume=True)
    # As --resume alone does.
    config = read_config(RunDirectory(output))
    assert (config.training.epochs, config.training.patience) == (3, 9)
    fit(config, output, resume=True)
    assert len(read_history(output)) == 3
    assert load_run(output).config == config


class Losses(keras.callbacks.Callback):
    """What somebody's dashboard is sent."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def on_epoch_end(self, epoch, logs=None):
        self.sent.append((epoch + 1, logs["loss"], logs["val_NDCG@20"]))


def test_callbacks_of_ones_own_see_the_epochs_and_fewer_are_refused(quick, tmp_path):
    losses = Losses()
    fit(quick, tmp_path / "run", callbacks=[losses])
    history = [
        (int(row["epoch"]), float(row["loss"]), float(row["val_NDCG@20"]))
        for row in read_history(tmp_path / "run")
    ]
    assert losses.sent == [(number, *map(pytest.approx, row)) for number, *row in history]
    before = (tmp_path / "run" / "config.json").read_text()
    with pytest.raises(UserError, match="has trained 3 epochs, more than --epochs 2"):
        fit(quick.replace(epochs=2), tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "config.json").read_text() == before
