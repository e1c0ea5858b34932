"""Charts, noise, vectors and sizes on the page of an experiment."""

import dataclasses

import numpy as np
import pytest

from tf_iclrec import load_interactions
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.evaluation.held_out import evaluate_held_out
from tf_iclrec.experiments import Dataset, Row, lines
from tf_iclrec.experiments.page import write_results
from tf_iclrec.experiments.parts.noise import noise, noise_measurement
from tf_iclrec.experiments.parts.statistics import statistics
from tf_iclrec.experiments.parts.vectors import vectors, vectors_measurement
from tf_iclrec.experiments.results import Results
from tf_iclrec.experiments.store import Store

from ..analysis.conftest import run_of
from ..reports.page_tables import PageTables
from .conftest import TINY, finish


def page_of(experiment, sequences, folder, answers):
    """The page of an experiment whose trainings are said to have ended with these ranks and
    measurements, by row."""
    store = Store(folder / "runs")
    store.open()
    trials = experiment.trials(sequences)
    for trial in trials:
        ranks, measured = answers[trial.row]
        finish(store, trial, ranks, **measured)
    written = write_results(Results(experiment, trials, store, {}, sequences))
    return PageTables.of(written["Page"])


def test_lines_go_through_the_rows_in_the_order_of_the_axis(experiment, sequences, tmp_path):
    rows = [
        Row(
            f"s{dim}", f"SASRec, {dim}", "sasrec", {"hidden_dim": dim}, line="SASRec", at={"d": dim}
        )
        for dim in (32, 4, 16)
    ]
    settings = {name: value for name, value in TINY.items() if name != "hidden_dim"}
    changed = dataclasses.replace(
        experiment, rows=rows, settings=settings, parts=(lines("d", "HR@5"),), seeds=(0,)
    )
    answers = {f"SASRec, {dim}": ([dim, 1, 9, 9], {}) for dim in (4, 16, 32)}
    page = page_of(changed, sequences, tmp_path, answers)
    assert page["Walks: test HR@5 by d: figures"] == [
        ["d", "HR@5"],
        ["4", "0.5"],
        ["16", "0.25"],
        ["32", "0.25"],
    ]


def test_groups_have_baselines_of_their_own(experiment, sequences, tmp_path):
    """Those of another group have other users, and as many ranks as there are of them."""
    rows = [
        Row(f"{name}{group}", f"{name} {group}", model, group=group, baseline=name == "Counts")
        for group in "ab"
        for name, model in (("Counts", "transitions"), ("SASRec", "sasrec"))
    ]
    settings = {"a": {"max_length": 5}, "b": {"max_length": 6}}
    rows = [
        dataclasses.replace(row, settings=settings[row.group] if row.model == "sasrec" else {})
        for row in rows
    ]
    rows[2] = dataclasses.replace(rows[2], settings={"repeats": "first"})
    changed = dataclasses.replace(experiment, rows=rows, settings={}, seeds=(0,), paper={})
    answers = {"Counts a": ([1, 1, 1], {}), "Counts b": ([50] * 5, {})}
    answers |= {"SASRec a": ([9, 1, 1], {}), "SASRec b": ([9, 9, 1, 9, 9], {})}
    page = page_of(changed, sequences, tmp_path, answers)
    tested = {tuple(row[:3]): row[3] for row in page["Walks: against the best baseline"][1:]}
    assert tested["SASRec a", "HR@5", "Counts a"] == "-0.3333"
    assert tested["SASRec b", "HR@5", "Counts b"] == "+0.2000"


@pytest.fixture(scope="module")
def run():
    return run_of(*planted_intents(num_users=120, num_items=60, num_intents=4, seed=1))


def test_noise_is_measured_and_shown_with_the_drop(experiment, run, sequences, tmp_path):
    measurement = noise_measurement((0.2, 1.0))
    measured = measurement(run)
    clean = evaluate_held_out(run.model, run.split, ("test",))["test"]["NDCG@20"]
    assert measured["1"]["NDCG@20"] < measured["0.2"]["NDCG@20"] < clean
    # Another share is another answer.
    assert noise_measurement((0.2,)).file != measurement.file
    changed = dataclasses.replace(
        experiment, measurements=(measurement,), parts=(noise("HR@5"),), rows=experiment.rows[2:]
    )
    both = {share: {"HR@5": value} for share, value in (("0.2", 0.5), ("1", 0.25))}
    answers = {"SASRec": ([1, 1, 2, 60], {"noise": both})}
    page = page_of(changed, sequences, tmp_path, answers)
    assert page["Walks: under noise"][1:] == [
        ["SASRec", "0", "0.7500", ""],
        ["SASRec", "0.2", "0.5000", "33.3%"],
        ["SASRec", "1", "0.2500", "66.7%"],
    ]
    assert page["Walks: drop of HR@5 under noise: figures"][1] == ["0", "0"]


def test_what_is_zero_without_noise_has_no_drop(experiment, sequences, tmp_path):
    changed = dataclasses.replace(
        experiment,
        measurements=(noise_measurement((0.2,)),),
        parts=(noise("HR@5"),),
        rows=experiment.rows[2:],
        seeds=(0,),
    )
    answers = {"SASRec": ([60, 70], {"noise": {"0.2": {"HR@5": 0.5}}})}
    page = page_of(changed, sequences, tmp_path, answers)
    assert page["Walks: under noise"][1:] == [
        ["SASRec", "0", "0.0000", ""],
        ["SASRec", "0.2", "0.5000", ""],
    ]
    assert page["Walks: drop of HR@5 under noise: figures"][1:] == [["0", "0"]]


def test_vectors_are_measured_by_the_table_of_items_and_shown_on_maps(
    experiment, run, sequences, tmp_path
):
    pytest.importorskip("openTSNE", reason="needs the extra: plots")
    table = tmp_path / "items.tsv"
    ids = run.interactions.items.ids
    rows = [f"{item}\t{'' if int(item) % 7 else 'all|'}kind {int(item) // 15}" for item in ids]
    table.write_text("\n".join(["item_id\tkinds", *rows]) + "\n")
    measurement = vectors_measurement("kinds", map_users=30).of(str(table), "digest")
    measured = measurement(run)
    assert measured["structures"]["last"]["values"] == 4
    assert measured["structures"]["mean"]["purity"] > measured["structures"]["mean"]["chance"]
    assert {*measured["values"]} == {*map(int, measured["names"])}
    assert np.shape(measured["places"]["last"]) == (30, 2)
    changed = dataclasses.replace(
        experiment, measurements=(measurement,), parts=(vectors,), rows=experiment.rows[2:]
    )
    page = page_of(changed, sequences, tmp_path, {"SASRec": ([1, 2], {"vectors": measured})})
    purity = f"{measured['structures']['last']['purity']:.1%}"
    assert page["Walks: how vectors lie"][1][4] == purity
    counts = [int(row[2]) for row in page["Walks, SASRec: categories, last state"][1:]]
    assert sum(counts) == 30


def test_sizes_are_those_of_the_log(experiment, sequences, tmp_path):
    log = load_interactions(sequences / "below" / "walks.txt")
    ids = log.items.ids
    table = "\n".join(["item_id\tprovider", *(f"{item}\tacme" for item in ids[:-1])])
    (tmp_path / "shops.tsv").write_text(table + "\n")
    (tmp_path / "walks.txt").symlink_to(sequences / "below" / "walks.txt")
    data = Dataset("Walks", "walks.txt", "shops.tsv")
    paper = {("Walks", "data", "users"): "123456"}
    changed = dataclasses.replace(
        experiment, datasets=(data,), rows=(), parts=(statistics,), paper=paper
    )
    page = page_of(changed, tmp_path, tmp_path, {})
    known = log.num_actions - int((log.item_ids == log.items.encode([ids[-1]])[0]).sum())
    sizes = (log.num_users, log.num_items, log.num_actions, 1, known)
    assert page["Sizes"][1] == ["Walks", *(f"{one:,}" for one in sizes)]
    assert page["Sizes"][2][:3] == ["Walks, the paper", "123,456", ""]
