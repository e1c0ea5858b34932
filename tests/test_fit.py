import json
import re

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    Interactions,
    NonFiniteLossError,
    UserError,
    evaluation_batches,
    fit,
    load_run,
    make_config,
    training_batches,
)
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.held_out import evaluate_held_out
from tf_iclrec.layers.intent_prototypes import IntentPrototypes
from tf_iclrec.models.item_facts import item_facts

from .interruption import interrupted
from .small_runs import (
    SMALL,
    accuracy_of,
    changed,
    fit_interrupted,
    read_history,
    weights_of,
    write_log,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_exported")]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def config(source):
    return make_config(data=source, **SMALL)


@pytest.fixture(scope="module")
def one_encoder(config):
    """For what doesn't depend on augmented views: the graphs take half as long to make."""
    return changed(config, sequence_weight=0.0, horizon=1)


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "finished"
    return fit(config, output), output


def test_the_run_directory_is_complete(finished):
    _, output = finished
    names = {path.name for path in output.iterdir()}
    assert names == {
        *("format.json", "config.json", "metrics.json", "history.csv", "data", "checkpoints"),
        *("train.log", "tensorboard", "model.keras", "saved_model", "checksums.json"),
    }
    assert (output / "saved_model" / "1" / "saved_model.pb").is_file()
    assert not [path for path in output.rglob("*") if path.name.startswith(".")]


def test_the_settings_are_written_by_section(finished, config):
    run, output = finished
    written = json.loads((output / "config.json").read_text())
    assert written.pop("model") == "iclrec"
    assert list(written) == list(config)
    assert written["training"]["seed"] == 3
    assert written["encoder"]["name"] == "self_attentive"
    assert written["intents"]["num_intents"] == [6]
    assert run.config == load_run(output).config == config


@pytest.mark.usefixtures("not_compared")
def test_a_number_of_intents_left_to_the_data_is_decided_once(one_encoder, tmp_path, capsys):
    settings = changed(one_encoder, num_intents="auto", epochs=1)
    with interrupted(epoch=0), pytest.raises(KeyboardInterrupt):
        fit(settings, tmp_path / "run")
    [line] = [line for line in capsys.readouterr().out.splitlines() if "num-intents auto" in line]
    decided = json.loads((tmp_path / "run" / "config.json").read_text())["intents"]["num_intents"]
    # Six were planted.
    assert 4 <= decided[0] <= 9
    assert line.startswith(f"Intents: {decided[0]} ")
    resumed = fit(settings, tmp_path / "run", resume=True)
    assert resumed.config.intents.num_intents == tuple(decided)
    assert [weight.shape[0] for weight in resumed.model.intents.centroids] == decided
    # Not again, and not another number.
    assert "num-intents auto" not in capsys.readouterr().out
    with pytest.raises(UserError, match="another value of num_intents"):
        fit(changed(settings, num_intents=(5,)), tmp_path / "run", resume=True)
    # A warm start keeps it too.
    warm = make_config(init_from=str(tmp_path / "run"))
    assert warm.intents.num_intents == tuple(decided)


def test_metrics_have_the_agreed_form(finished):
    run, output = finished
    metrics = json.loads((output / "metrics.json").read_text())
    names = {f"{kind}@{k}" for kind in ("HR", "NDCG", "MRR") for k in (5, 10, 20)}
    assert list(metrics) == ["valid", "test", "lists", "intervals", "groups", "yardsticks"]
    assert set(metrics["valid"]) == set(metrics["test"]) == names
    assert metrics == run.metrics


def test_training_beats_chance(finished):
    run, _ = finished
    assert run.metrics["test"]["HR@20"] > 1.5 * 20 / 60


def test_history_has_a_row_per_epoch_with_every_figure(finished):
    _, output = finished
    rows = read_history(output)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {
        *("loss", "next_item", "sequence_contrast", "intent_contrast", "seconds"),
        *("val_NDCG@20", "intent_inertia_6", "intent_empty_6", "intent_moved_6"),
    } <= set(rows[0])


def test_tensorboard_events_hold_the_same_figures(finished):
    _, output = finished
    (events,) = (output / "tensorboard").glob("events*")
    logged = {
        (event.step, value.tag): tf.make_ndarray(value.tensor)
        for event in map(
            tf.compat.v1.Event.FromString,
            (record.numpy() for record in tf.data.TFRecordDataset(str(events))),
        )
        for value in event.summary.value
    }
    last = read_history(output)[-1]
    assert logged[3, "val_NDCG@20"] == pytest.approx(float(last["val_NDCG@20"]), rel=1e-6)


def test_a_loaded_run_repeats_the_metrics_exactly(finished):
    _, output = finished
    run = load_run(output)
    repeated = evaluate_held_out(run.model, run.split, **run.config.evaluation)
    assert repeated == accuracy_of(run)
    assert run.config.training.seed == 3


def test_a_loaded_run_repeats_what_is_said_of_lists_and_groups(finished):
    run = load_run(finished[1])
    facts = item_facts(run.model, run.split)
    report = full_report(run.model, run.split, facts, **run.config.evaluation)
    assert report == {name: run.metrics[name] for name in report}
    assert list(report["groups"]) == ["length", "popularity"]
    # Six planted intents are in the lists, each in the proportions of its user's history.
    assert 0 < report["lists"]["IntentCalibration@20"] < 1
    by_name = run.metrics["yardsticks"]
    assert list(by_name) in (["popularity", "transitions"], ["popularity", "ease"])
    for metrics in by_name.values():
        assert metrics["test"].keys() == run.metrics["test"].keys()
        assert metrics["lists"].keys() == run.metrics["lists"].keys()
    lists = by_name["popularity"]["lists"]
    # With seen items in the ranking everyone gets the same list.
    assert lists["Coverage@20"] == pytest.approx(20 / 60)
    assert lists["Novelty@20"] < run.metrics["lists"]["Novelty@20"]


def test_the_best_epoch_is_what_is_kept(finished):
    run, output = finished
    best = max(float(row["val_NDCG@20"]) for row in read_history(output))
    assert run.metrics["valid"]["NDCG@20"] == pytest.approx(best, rel=1e-6)


@pytest.mark.usefixtures("not_compared")
def test_another_seed_gives_other_numbers(finished, config, tmp_path):
    run, _ = finished
    other = fit(changed(config, seed=4), tmp_path / "other")
    assert accuracy_of(other) != accuracy_of(run)


@pytest.mark.usefixtures("not_compared")
def test_parts_of_a_large_log_are_clustered_and_ranked(one_encoder, tmp_path, capsys):
    """39 vectors a cluster are taken in any case."""
    some = changed(one_encoder, epochs=1, num_intents=(2,), clustered_users=30, evaluation_users=50)
    run = fit(some, tmp_path / "run")
    printed = capsys.readouterr().out
    assert "Of 200 users 50 are ranked in an evaluation (--evaluation-users)." in printed
    assert "Of 200 users 78 are clustered (--clustered-users)." in printed
    # Shares of 50 users.
    hits = run.metrics["test"]["HR@20"] * 50
    assert hits == pytest.approx(round(hits), abs=1e-4)
    sizes = sum(map(int, re.findall(r"median (\d+)", (tmp_path / "run" / "train.log").read_text())))
    assert sizes == 39


def test_learning_rate_falls_to_zero_over_all_epochs(finished):
    run, _ = finished
    rates, training = run.model.optimizer._learning_rate, run.config.training
    steps = training.epochs * len(list(training_batches(run.split, training.batch_size)))
    expected = [training.learning_rate, training.learning_rate / 2, 0.0]
    assert [float(rates(at)) for at in (0, steps // 2, steps)] == pytest.approx(expected)
    assert int(run.model.optimizer.iterations) <= steps


@pytest.mark.usefixtures("not_compared")
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(finished, config, tmp_path):
    run, output = finished
    fit_interrupted(config, tmp_path / "run")
    with pytest.raises(UserError, match="--resume"):
        load_run(tmp_path / "run")

    resumed = fit(config, tmp_path / "run", resume=True)

    assert resumed.metrics == run.metrics | {"yardsticks": {}}
    for one, other in zip(weights_of(run.model), weights_of(resumed.model), strict=True):
        np.testing.assert_array_equal(one, other)
    before, after = read_history(output), read_history(tmp_path / "run")
    assert float(before[1]["intent_moved_6"]) > 0
    for row in [*before, *after]:
        del row["seconds"], row["intent_seconds"]
    assert before == after


def test_other_settings_are_refused_on_resume(finished, config):
    _, output = finished
    with pytest.raises(UserError, match=r"another value of learning_rate\. Only"):
        fit(changed(config, learning_rate=0.5), output, resume=True)


def test_settings_that_are_no_longer_read_are_refused_on_resume(finished, config):
    _, output = finished
    with pytest.raises(UserError, match=r"another value of .*crop_ratio.* sequence_weight"):
        fit(changed(config, sequence_weight=0.0), output, resume=True)


def test_another_model_is_refused_on_resume(finished, config):
    """Also where it has the same settings."""
    _, output = finished
    other = make_config(**config.options(), model="cl4srec")
    with pytest.raises(UserError, match=r"another value of model\. Only"):
        fit(other, output, resume=True)


@pytest.mark.usefixtures("not_compared")
def test_a_nan_loss_stops_and_keeps_the_last_good_epoch(one_encoder, tmp_path, monkeypatch):
    update, calls = IntentPrototypes.update, []

    def poisoned_second_time(self, centroids):
        calls.append(centroids)
        factor = np.nan if len(calls) == 2 else 1.0
        update(self, [factor * value for value in centroids])

    with monkeypatch.context() as patch:
        patch.setattr(IntentPrototypes, "update", poisoned_second_time)
        with pytest.raises(NonFiniteLossError, match="Epoch 2, step 1: intent_contrast"):
            fit(one_encoder, tmp_path / "run")
    state = json.loads((tmp_path / "run" / "checkpoints" / "state.json").read_text())
    assert state["epochs_done"] == 1
    resumed = fit(one_encoder, tmp_path / "run", resume=True)
    assert np.isfinite(list(resumed.metrics["test"].values())).all()


def test_nothing_is_written_when_the_data_is_bad(tmp_path):
    config = make_config(data=str(tmp_path / "missing.csv"))
    with pytest.raises(UserError, match="No such file"):
        fit(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_existing_run_is_not_overwritten_by_accident(finished, config):
    _, output = finished
    with pytest.raises(UserError, match="--resume to continue it, --overwrite"):
        fit(config, output)
    assert load_run(output).metrics


def test_the_served_numbers_of_items_are_those_of_the_settings(source, tmp_path, monkeypatch):
    monkeypatch.undo()  # This one is exported.
    fit(make_config("transitions", data=source, k=3, max_k=4), tmp_path / "run")
    loaded = tf.saved_model.load(str(tmp_path / "run" / "saved_model" / "1"))
    answer = loaded.signatures["serving_default"](history=tf.constant([["1"]]))
    assert answer["item_ids"].shape == (1, 3)


def test_a_folder_with_something_else_is_never_removed(config, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="holds no run"):
        fit(config, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_too_many_intents_are_refused_before_anything_is_written(config, tmp_path):
    with pytest.raises(UserError, match="The largest K that works is 200"):
        fit(changed(config, num_intents=(500,)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("not_compared")
def test_short_users_are_left_out_and_counted(tmp_path, capsys):
    log = {str(user): [str(item) for item in range(user % 7 + 1)] for user in range(70)}
    write_prepared(Interactions.from_sequences(log), tmp_path / "log")
    run = fit(make_config("transitions", data=str(tmp_path / "log")), tmp_path / "run")
    assert run.interactions.num_users == 50
    assert load_run(tmp_path / "run").interactions.num_users == 50
    printed = capsys.readouterr().out
    assert "Left out, with too few items to be split: 20 users." in printed
    assert "Data: 70 users" in printed


def test_filter_seen_changes_the_ranking(finished):
    run, _ = finished
    filtered = evaluate_held_out(run.model, run.split, filter_seen=True)
    assert filtered != accuracy_of(run)


@pytest.mark.usefixtures("not_compared")
def test_mixed_precision_trains(one_encoder, tmp_path):
    run = fit(changed(one_encoder, mixed_precision=True), tmp_path / "run")
    batch = next(iter(evaluation_batches(run.split, "test")))
    assert run.model.encoder(batch).dtype == "bfloat16"
    assert run.metrics["test"]["HR@20"] > 1.5 * 20 / 60
