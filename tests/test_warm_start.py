"""A training that goes on from an older run, on a newer log."""

import re
import shutil
from collections import Counter

import numpy as np
import pytest

from tf_iclrec import (
    Interactions,
    UserError,
    by_time,
    fit,
    leave_one_out,
    load_run,
    make_config,
    train,
)
from tf_iclrec.data.prepared import read_prepared, write_prepared
from tf_iclrec.data.splits.everything import everything
from tf_iclrec.warm_start import _trained_before

from .afterwards import AFTERWARDS, training_without
from .interruption import interrupted
from .timed_logs import DAY, timed_planted_intents

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_exported", "not_compared")]

TINY = {"hidden_dim": 8, "num_blocks": 1, "num_intents": (3,), "max_length": 10}
TINY |= {"epochs": 2, "batch_size": 16, "learning_rate": 1e-2, "seed": 1, "horizon": 1}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A log up to the sixtieth day, and the same up to the hundredth."""
    folder = tmp_path_factory.mktemp("logs")
    log = timed_planted_intents(num_users=60, num_items=30, num_intents=3)
    write_prepared(log.select(log.times < 60 * DAY), folder / "older")
    write_prepared(log, folder / "newer")
    return folder


@pytest.fixture(scope="module")
def older(sources, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "older"
    with training_without(*AFTERWARDS):
        fit(make_config(data=str(sources / "older"), refit=True, **TINY), output)
    return str(output)


@pytest.fixture(scope="module")
def settings(older, sources):
    # The learning rate is so low that a model stays what it starts from.
    settings = {"init_from": older, "data": str(sources / "newer"), "split": "time:1970-03-02"}
    return settings | {"epochs": 1, "refit": False, "learning_rate": 1e-9}


@pytest.fixture(scope="module")
def warm(settings, older, tmp_path_factory):
    """In the place of another run, which must not be taken for its beginning."""
    output = tmp_path_factory.mktemp("runs") / "warm"
    shutil.copytree(older, output)
    with training_without(*AFTERWARDS):
        return fit(make_config(**settings), output, overwrite=True), output


def vectors_of(run, raw_items):
    return run.model.item_vectors().numpy()[run.interactions.items.encode(raw_items) - 3]


def test_known_items_keep_their_vectors_and_settings_are_those_of_the_run(warm, older):
    run, _ = warm
    assert (run.config.encoder.hidden_dim, run.config.training.batch_size) == (8, 16)
    before = load_run(older)
    ids = before.interactions.items.ids[before.split.training_counts > 0]
    assert len(ids) > 20
    np.testing.assert_allclose(vectors_of(run, ids), vectors_of(before, ids), atol=1e-5)


def test_it_goes_on_after_an_interruption_also_without_the_run(warm, settings, tmp_path, capsys):
    run, _ = warm
    config = make_config(**settings)
    with interrupted(epoch=0), pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run")
    printed = capsys.readouterr().out
    assert re.search(r"Warm start from \S+: \d+ of 31 items are known, \d+ are new, 0 of", printed)
    resumed = fit(config, tmp_path / "run", resume=True)
    # Before the first epoch: what the centroids of the run make of the new log.
    figures = (tmp_path / "run" / "train.log").read_text()
    assert re.search(r"K=3: .* moved \d+\.\d%, centroids by \d+\.\d%\n", figures)
    assert resumed.metrics == run.metrics
    for weight, expected in zip(resumed.model.weights, run.model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def refused(message, output, **settings):
    with pytest.raises(UserError, match=message):
        fit(make_config(**settings), output)
    assert not output.exists()


def test_what_does_not_fit_is_refused_before_anything_is_written(settings, sources, tmp_path):
    output = tmp_path / "run"
    wide = r"can't be started from: it has another hidden_dim \(8, not 12\)\. A warm start"
    refused(wide, output, **settings | {"hidden_dim": 12})
    other = r"another model \(iclrec, not bert4rec\) and encoder \(self_attentive, not bidirec"
    refused(other, output, **settings | {"model": "bert4rec"})
    with pytest.raises(UserError, match="bidirec is not a run directory"):
        train.main(["--init-from", "bidirec", "--output", str(output)])
    strangers = tmp_path / "strangers.txt"
    strangers.write_text("".join(f"{user} 901 902 903 904\n" for user in range(1, 9)))
    strange = settings | {"data": str(strangers), "split": "leave_one_out"}
    refused("it knows none of the items", output, **strange)


def test_a_run_can_not_be_written_over_while_it_is_read(settings, older):
    with pytest.raises(UserError, match="can't be started from and written to"):
        fit(make_config(**settings), older, overwrite=True)
    assert load_run(older).metrics


def test_targets_that_were_trained_on_are_counted(settings, older, sources, tmp_path, capsys):
    """A split before the end of what the run's evaluated model has seen."""
    times = {"test_at": "1970-01-25", "targets": "first"}
    options = {f"split_{name}": value for name, value in times.items()}
    early = make_config(**settings | options | {"split": "time:1970-01-20", "batch_size": 4})
    with interrupted(epoch=0), pytest.raises(KeyboardInterrupt):
        fit(early, tmp_path / "run")
    found = re.search(
        r"Of (\d+) test targets (\d+) are items that \S+ was trained on", capsys.readouterr().out
    )
    before, log = load_run(older).split, read_prepared(sources / "newer")
    users = np.repeat(before.interactions.users, before.train.lengths)
    items = before.interactions.items.decode(before.train.joined().item_ids)
    trained = Counter(zip(users, items, strict=True))
    test = by_time(log, "1970-01-20", **times).test
    expected = 0
    for row, (user, target) in enumerate(zip(test.users, test.target_ids, strict=True)):
        history = test.histories.rows(np.array([row])).joined().item_ids
        pair = log.users[user], log.items.decode(np.array([target]))[0]
        expected += trained[pair] > np.count_nonzero(history == target)
    assert 0 < expected < len(test.users)
    assert [int(number) for number in found.groups()] == [len(test.users), expected]


def test_what_is_bought_again_was_not_trained_on(tmp_path):
    """A pair counts where the earlier training had it more often than the target's history."""
    again = Interactions.from_sequences({"ann": ["tea", "jam", "tea"], "bob": ["jam", "tea"]})
    before = everything(again)
    rows = {"ann": ["tea", "jam", "tea", "egg", "oil", "tea"], "bob": ["egg", "oil", "tea"]}
    split = leave_one_out(Interactions.from_sequences(rows))
    # ann has had tea twice, as the training; bob's tea the training knew, his history does not.
    assert _trained_before(split, before) == 1
    assert _trained_before(leave_one_out(again), before) == 1
