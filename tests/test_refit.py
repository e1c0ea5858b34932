"""The model that is served, trained on everything."""

import csv
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import UserError, fit, load_run, make_config, recommend
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.evaluation.held_out import evaluate_held_out
from tf_iclrec.models.transitions import TransitionRecommender

from .afterwards import training_without
from .interruption import interrupted
from .small_runs import accuracy_of, changed
from .timed_logs import timed_planted_intents

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_exported", "not_compared")]

# Of the models that are trained in epochs, the one whose graphs are made soonest.
TINY = {"model": "bpr_mf", "hidden_dim": 8, "max_length": 10}
TINY |= {"epochs": 3, "batch_size": 16, "learning_rate": 1e-2, "seed": 1, "filter_seen": False}
TINY |= {"learning_rate_schedule": "cosine"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    write_prepared(timed_planted_intents(num_users=60, num_items=30, num_intents=3), folder)
    return str(folder)


@pytest.fixture(scope="module")
def config(source):
    return make_config(data=source, refit=True, **TINY)


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "finished"
    with training_without("yardsticks"):
        return fit(config, output), output


def best_epoch(output):
    return json.loads((output / "checkpoints" / "state.json").read_text())["best_epoch"]


def check_same_weights(one, other):
    for weight, expected in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_figures_are_those_of_the_model_without(finished, source, tmp_path):
    run, output = finished
    plain = fit(make_config(data=source, **TINY), tmp_path / "plain")
    assert run.metrics == plain.metrics == json.loads((output / "metrics.json").read_text())
    check_same_weights(run.model, plain.model)
    assert not (tmp_path / "plain" / "final").exists()


def test_a_loaded_run_repeats_the_figures_exactly(finished):
    run, output = finished
    loaded = load_run(output)
    repeated = evaluate_held_out(loaded.model, loaded.split, **loaded.config.evaluation)
    assert repeated == accuracy_of(run)
    assert "short" not in loaded.interactions.users


def test_the_served_model_has_seen_everything_for_the_best_number_of_epochs(finished):
    run, output = finished
    served = load_run(output, for_serving=True)
    log = served.interactions
    assert "short" in log.users
    assert "rare" in log.items.ids
    assert served.split.training_counts.sum() == log.num_actions
    assert served.model.item_vectors().shape[0] == log.num_items == run.interactions.num_items + 1
    with (output / "final" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == best_epoch(output)
    assert "val_NDCG@20" not in rows[0]
    # The learning rate falls over all epochs, as it did before.
    steps = 3 * -(-log.num_users // 16)
    rates = served.model.optimizer._learning_rate
    assert [float(rates(at)) for at in (0, steps)] == pytest.approx([1e-2, 0.0])
    assert served.metrics == run.metrics


def test_what_is_recommended_and_served_is_of_that_model(finished):
    _, output = finished
    served = load_run(output, for_serving=True)
    history = ["3", "5"]
    expected = recommend(served, [history], k=4)
    given = recommend(output, [history], k=4)
    assert given.equals(expected)
    exported = tf.saved_model.load(str(output / "saved_model" / "1"))
    answer = exported.signatures["serving_default"](history=tf.constant([history]))
    np.testing.assert_allclose(answer["scores"][0, :4], expected["score"], rtol=1e-4)
    assert recommend(output, user_ids=["short"], k=1)["from_popularity"].tolist() == [False]


def test_interrupted_in_either_stage_it_ends_with_the_same_weights(config, finished, tmp_path):
    run, output = finished
    assert best_epoch(output) >= 2
    with interrupted(epoch=1), pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run")
    # The rest of the first training, then the second epoch of the other.
    with interrupted(epoch=1, training=1), pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run", resume=True)
    assert (
        json.loads((tmp_path / "run/final/checkpoints/state.json").read_text())["epochs_done"] == 1
    )
    # Also where there are figures, such as those of a run that is given more epochs.
    (tmp_path / "run" / "metrics.json").write_text("{}")
    (tmp_path / "run" / "model.keras").touch()
    with pytest.raises(UserError, match="is not finished"):
        load_run(tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    resumed = fit(config, tmp_path / "run", resume=True)
    assert resumed.metrics == run.metrics
    check_same_weights(resumed.model, run.model)
    served = load_run(tmp_path / "run", for_serving=True)
    check_same_weights(served.model, load_run(output, for_serving=True).model)


def test_another_best_epoch_starts_the_second_training_again(config, finished, tmp_path):
    """As after more epochs: what is there was made with other learning rates."""
    _, output = finished
    again = shutil.copytree(output, tmp_path / "run")
    plan = again / "final" / "plan.json"
    assert json.loads(plan.read_text())["epochs"] == best_epoch(output)
    plan.write_text('{"epochs": 1, "training": {}}')
    shutil.rmtree(again / "final" / "checkpoints")
    shutil.copytree(again / "checkpoints", again / "final" / "checkpoints")
    fit(config, again, resume=True)
    served = load_run(tmp_path / "run", for_serving=True)
    check_same_weights(served.model, load_run(output, for_serving=True).model)


def test_another_patience_keeps_the_second_training(config, finished, tmp_path):
    _, output = finished
    again = shutil.copytree(output, tmp_path / "run")
    weights = again / "final" / "checkpoints" / f"epoch_{best_epoch(output)}.weights.h5"
    before = weights.stat().st_mtime_ns
    fit(changed(config, patience=9), again, resume=True)
    assert weights.stat().st_mtime_ns == before
    assert load_run(again).config.training.patience == 9


def test_a_model_in_closed_form_is_fitted_to_everything(source, tmp_path, capsys):
    run = fit(make_config("transitions", data=source, refit=True), tmp_path / "run")
    printed = capsys.readouterr().out
    assert "Split: everything trained on: 61 users" in printed
    assert (
        "These are of model.keras. Trained on everything, and served: final/model.keras" in printed
    )
    served = load_run(tmp_path / "run", for_serving=True)
    expected = TransitionRecommender.for_catalogue(served.split.catalogue)
    expected.fit_histories(served.split.train)
    batch = {"item_ids": np.array([[3, 4, 9]], dtype="int32")}
    np.testing.assert_array_equal(served.model(batch), expected(batch))
    assert served.model(batch).shape[1] == run.model(batch).shape[1] + 1
