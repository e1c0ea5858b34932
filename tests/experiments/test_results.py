"""Means, deviations and tests, of ranks that are written here."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from tf_iclrec import load_run, make_config
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.metrics import gains_of_ranks, metrics_of_ranks
from tf_iclrec.evaluation.significance import holm_correction, paired_t_test
from tf_iclrec.evaluation.user_values import evaluate_users
from tf_iclrec.experiments import Dataset, Row
from tf_iclrec.experiments.page import write_results
from tf_iclrec.experiments.results import Results
from tf_iclrec.experiments.store import Store
from tf_iclrec.experiments.training import finish as finish_training
from tf_iclrec.experiments.trial import Trial
from tf_iclrec.models.item_facts import item_facts

from ..reports.page_tables import PageTables
from ..timed_logs import timed_planted_intents
from .conftest import RANKS, finish


def test_means_and_deviations_are_over_seeds(found):
    experiment, trials, store = found
    results = Results(experiment, trials, store, {})
    counts, _, sasrec = experiment.rows
    assert results.mean("Walks", sasrec, "HR@5") == pytest.approx((3 / 6 + 4 / 6) / 2)
    assert results.deviation("Walks", sasrec, "HR@5") == pytest.approx(np.std([3, 4], ddof=1) / 6)
    assert results.deviation("Walks", counts, "HR@5") is None
    assert results.paper("Walks", sasrec, "HR@5") == "0.1234±0.0011"


def test_the_best_baseline_is_tested_against_user_by_user(found):
    experiment, trials, store = found
    results = Results(experiment, trials, store, {})
    compared = results.comparisons("Walks")
    assert {place[0] for place in compared} == {"SASRec"}
    p_values = []
    for metric in experiment.metrics:
        ours = np.mean([gains_of_ranks(ranks)[metric] for ranks in RANKS["SASRec"]], axis=0)
        theirs = gains_of_ranks(RANKS["Counts"][0])[metric]
        one = compared["SASRec", metric]
        assert one.baseline == "Counts"
        assert one.difference == pytest.approx((ours - theirs).mean(), abs=1e-7)
        assert one.relative == pytest.approx(ours.mean() / theirs.mean() - 1, abs=1e-5)
        p_values.append(stats.ttest_rel(ours, theirs).pvalue)
        assert one.p_value == pytest.approx(p_values[-1], abs=1e-6)
    corrected = [one.corrected for one in compared.values()]
    assert corrected == pytest.approx(holm_correction(p_values), abs=1e-6)


def test_targets_of_one_user_count_as_one_user(found):
    experiment, trials, store = found
    without = Results(experiment, trials, store, {}).comparisons("Walks")
    users = np.array([0, 0, 0, 1, 1, 2])
    for trial in trials:
        path = store.run(trial).path / "ranks.npz"
        np.savez(path, **np.load(path), users=users)
    compared = Results(experiment, trials, store, {}).comparisons("Walks")
    ours = np.mean([gains_of_ranks(ranks)["HR@5"] for ranks in RANKS["SASRec"]], axis=0)
    theirs = gains_of_ranks(RANKS["Counts"][0])["HR@5"]
    place = "SASRec", "HR@5"
    assert compared[place].p_value == paired_t_test(ours, theirs, users).p_value
    assert compared[place].p_value != without[place].p_value
    assert compared[place].difference == without[place].difference


def test_whose_the_ranks_are_is_kept(experiment, tmp_path):
    log = timed_planted_intents(num_users=60, num_items=30, num_intents=3)
    write_prepared(log, tmp_path / "log")
    settings = {"split": "time:1970-03-01", "split_targets": "all", "evaluation_users": 50}
    data = Dataset("Walks", "log", settings=settings)
    changed = dataclasses.replace(experiment, datasets=(data,), rows=(Row("transitions"),))
    [trial] = changed.trials(tmp_path)
    store = Store(tmp_path / "runs")
    store.open()
    finish_training(trial, store)
    ranks = np.load(store.run(trial).path / "ranks.npz")
    run = load_run(store.run(trial).path)
    values = evaluate_users(
        run.model, run.split, item_facts(run.model, run.split), **run.config.evaluation
    )
    np.testing.assert_array_equal(ranks["test"], values.ranks)
    np.testing.assert_array_equal(ranks["users"], values.users)
    assert len({*ranks["users"].tolist()}) < len(ranks["users"]) == 50


def test_holm_by_hand():
    assert holm_correction([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_correction([0.6, 0.7]) == [1.0, 1.0]
    assert holm_correction([]) == []


def test_the_page_says_all_of_it(found):
    experiment, trials, store = found
    rows = (*experiment.rows, Row("caser", "Caser"))
    experiment = dataclasses.replace(experiment, rows=rows)
    trial = dataclasses.replace(trials[-1], row="Caser", data="never trained")
    results = Results(experiment, [*trials, trial], store, {trial.name: "out of memory"})
    written = write_results(results)
    page = PageTables.of(written["Page"])
    header, *lines = page["Walks: test"]
    assert header[:3] == ["", "HR@5", "paper"]
    cells = {line[0]: line[1:3] for line in lines}
    assert cells["Counts"] == ["0.3333", "0.1"]
    assert cells["SASRec"] == ["0.5833±0.1179", "0.1234±0.0011"]
    assert cells["Caser"] == ["failed", ""]
    assert page["Walks: failed"][1:] == [["Caser", "out of memory"]]
    assert page["Trainings"][3] == ["Walks: SASRec", "0, 1", "", "3.0"]
    markdown = written["Markdown"].read_text()
    assert "| SASRec | 0.5833±0.1179 | 0.1234±0.0011 |" in markdown
    assert "<" not in markdown
    figures = written["Figures"].read_text().splitlines()
    assert f"Walks,SASRec,1,HR@5,{metrics_of_ranks(RANKS['SASRec'][1])['HR@5']}" in figures


def test_a_mean_of_fewer_seeds_than_others_says_so(found):
    experiment, trials, store = found
    broken = next(trial for trial in trials if trial.row == "SASRec" and trial.seed == 1)
    results = Results(experiment, trials, store, {broken.name: "out of memory"})
    written = write_results(results)
    cells = {line[0]: line[1] for line in PageTables.of(written["Page"])["Walks: test"][1:]}
    assert cells["SASRec"] == "0.5000, 1 of 2 seeds"
    assert cells["Counts"] == "0.3333"


def test_a_mark_means_that_it_is_significant(found):
    experiment, trials, store = found
    rng = np.random.default_rng(0)
    theirs = rng.integers(1, 60, 500).tolist()
    for name, ours, mark in (("up", 1, "▲"), ("down", 90, "▼"), ("same", None, "")):
        other = Store(store.folder / name)
        other.open()
        for trial in trials:
            better = [min(rank, ours) if ours == 1 else ours or rank for rank in theirs]
            finish(other, trial, better if trial.row == "SASRec" else theirs)
        page = write_results(Results(experiment, trials, other, {}))["Page"]
        cells = PageTables.of(page)["Walks: test"][3]
        assert [cell.endswith(("▲", "▼")) for cell in cells[1::2]] == [bool(mark)] * 4, name
        assert cells[1].endswith(mark)


def test_a_training_of_another_version_is_not_used(found):
    store = found[-1]
    (store.folder / "version.json").write_text(json.dumps({"tf_iclrec": "0.1", "trainings": 1}))
    with pytest.raises(ValueError, match=r"are of tf_iclrec 0\.1 \(trainings 1\), this is"):
        store.open()
    with pytest.raises(ValueError, match="is not empty and holds no trainings"):
        Store(store.folder / "trials").open()


def test_a_folder_of_trainings_that_was_begun_is_used(tmp_path):
    """As a command leaves it that is killed before the version is written."""
    (tmp_path / "runs" / "trials").mkdir(parents=True)
    (tmp_path / "runs" / ".writing.1.version.json").touch()
    Store(tmp_path / "runs").open()
    assert (tmp_path / "runs" / "version.json").is_file()


@pytest.mark.parametrize("first", [True, False])
def test_two_commands_can_make_one_folder_at_a_time(tmp_path, monkeypatch, first):
    store, is_new = Store(tmp_path / "runs"), Store._is_new

    def another_meanwhile(self):
        monkeypatch.undo()
        store.open()
        store.log(Trial("walks", "", make_config("ease"), "")).touch()
        # What was seen before the other one came, or after.
        return first or is_new(self)

    monkeypatch.setattr(Store, "_is_new", another_meanwhile)
    store.open()
    store.open()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tf_iclrec": "0.6"}'])
def test_a_damaged_version_is_said_in_one_line(tmp_path, text):
    Store(tmp_path / "runs").open()
    (tmp_path / "runs" / "version.json").write_text(text)
    with pytest.raises(UserError) as refused:
        Store(tmp_path / "runs").open()
    assert str(refused.value) == (
        f"{tmp_path / 'runs' / 'version.json'} is damaged and does not say which version trained: "
        "choose another --output."
    )


def test_trainings_need_a_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("precious")
    for folder in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "runs"):
        with pytest.raises(UserError, match=r"notes\.txt is no folder\."):
            Store(folder).open()
