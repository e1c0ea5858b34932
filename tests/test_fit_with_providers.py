import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest

from tf_iclrec import fit, load_run, make_config
from tf_iclrec.evaluation.held_out import evaluate_held_out

from .afterwards import AFTERWARDS, training_without
from .small_runs import (
    SMALL,
    accuracy_of,
    changed,
    fit_interrupted,
    read_history,
    weights_of,
    write_log,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("not_exported", "not_compared")]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def items_table(tmp_path_factory):
    """Brands of ten items each; of the sixty items six are unknown and three missing. Paths of
    categories of which the last part has five values, and unknown for every eighth item."""
    path = tmp_path_factory.mktemp("items") / "items.csv"
    rows = [
        f"{item},{f'brand {item // 10}' if item % 10 else ''},"
        f"{f'all|{item % 2}|{item % 5}' if item % 8 else ''}"
        for item in range(57)
    ]
    path.write_text("\n".join(["item_id,provider,category", *rows, "999,brand 9,"]) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def provider_config(source, items_table):
    # Beside dot products the contrast falls within two epochs; beside cosines it takes longer.
    settings = SMALL | {"epochs": 2, "provider_weight": 0.1}
    settings |= {"score_temperature": 0.0, "item_initialization": "random"}
    settings |= {"items": items_table, "item_attributes": "category"}
    return make_config(data=source, model="iclrec_ips_s", **settings)


@pytest.fixture(scope="module")
def provider_run(provider_config, tmp_path_factory):
    """A finished run, its folder and what it printed."""
    output, printed = tmp_path_factory.mktemp("runs") / "run", io.StringIO()
    with contextlib.redirect_stdout(printed), training_without(*AFTERWARDS):
        run = fit(provider_config, output)
    return run, output, printed.getvalue()


def test_nobody_is_said_to_be_left_out_where_everyone_stays(provider_run):
    assert "left out" not in provider_run[2]


def test_training_says_how_many_providers_are_known(provider_run, items_table):
    run, _, printed = provider_run
    log = run.interactions
    assert log.num_items == 60
    (line,) = [line for line in printed.splitlines() if line.startswith("Providers: ")]
    known = (log.provider_ids != 1).mean()
    assert line == (
        f"Providers: 6, known for 51 of 60 items and {known:.1%} of interactions; "
        f"not in {items_table}: 3 items"
    )


def test_training_says_what_is_known_of_attributes_and_uses_it(provider_run):
    run, _, printed = provider_run
    assert "Values of category: 5, known for 49 of 60 items\n" in printed
    category = run.interactions.attributes["category"]
    of_items = dict(zip(run.interactions.items.ids, category.of_items[3:], strict=True))
    assert of_items["31"] == of_items["41"] != of_items["33"]
    layer = run.model.encoder.embedding
    np.testing.assert_array_equal(layer.item_attributes[0], category.of_items)


def test_provider_contrast_is_in_the_history(provider_run):
    _, output, _ = provider_run
    losses = [float(row["item_provider_contrast"]) for row in read_history(output)]
    assert len(losses) == 2
    assert losses[-1] < losses[0]


def test_training_with_providers_beats_chance(provider_run):
    run, _, _ = provider_run
    assert run.metrics["test"]["HR@20"] > 1.5 * 20 / 60


def test_a_loaded_run_with_providers_repeats_the_metrics_exactly(provider_run):
    run, output, _ = provider_run
    loaded = load_run(output)
    evaluated = evaluate_held_out(loaded.model, loaded.split, **loaded.config.evaluation)
    assert evaluated == accuracy_of(run)
    np.testing.assert_array_equal(loaded.interactions.provider_ids, run.interactions.provider_ids)
    assert list(loaded.interactions.attributes) == ["category"]


def test_an_interrupted_run_with_providers_goes_on_without_their_table(
    provider_run, provider_config, tmp_path
):
    run, output, _ = provider_run
    table = Path(shutil.copy(provider_config.data["items"], tmp_path / "items.csv"))
    config = changed(provider_config, items=str(table))
    fit_interrupted(config, tmp_path / "run")
    table.unlink()
    resumed = fit(config, tmp_path / "run", resume=True)
    assert resumed.metrics == run.metrics
    for one, other in zip(weights_of(run.model), weights_of(resumed.model), strict=True):
        np.testing.assert_array_equal(one, other)
    before, after = read_history(output), read_history(tmp_path / "run")
    for name in ("loss", "val_NDCG@20", "item_provider_contrast"):
        assert [row[name] for row in before] == [row[name] for row in after]
