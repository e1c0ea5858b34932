"""Sections of the page of a run, of runs that nothing is trained for."""

import dataclasses
import datetime
import os

import pytest

from tf_iclrec import GROUPINGS, Grouping, Run, by_time, fit, load_run, make_config
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.evaluation.lists.gini import gini_index
from tf_iclrec.models.popularity import PopularityRecommender
from tf_iclrec.reports.run_sections.data import data_section
from tf_iclrec.reports.run_sections.groups import groups_section
from tf_iclrec.reports.run_sections.model_card import model_card_section
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.run_directory import RunDirectory

from ..timed_logs import DAY, timed_planted_intents


@pytest.fixture(scope="module")
def run():
    log = timed_planted_intents(num_users=20, num_items=15, num_intents=3)
    split = by_time(log, targets="all")
    gini = gini_index(split.training_counts) + 1e-4
    metrics = {"valid": {}, "test": {}, "lists": {"Coverage@20": 1.0, "Gini@20": gini}}
    config = make_config("transitions", data="log", split_targets="all", split="time")
    return Run(PopularityRecommender(num_items=log.num_items), split, config, metrics)


@pytest.fixture(scope="module")
def reported(run):
    return ReportedRun("mine", run, {}, datetime.date(1970, 9, 1))


def test_targets_are_not_called_users(run, reported):
    lengths, users = run.split.test.histories.lengths, run.split.test.users
    assert len(set(users.tolist())) < len(users)
    card = model_card_section(reported)
    assert f"Before {(lengths < 5).sum()} of {len(users)} test targets (" in card
    assert "test users (" not in card
    assert "Test targets by length of history" in data_section(reported)


def test_lists_and_interactions_have_the_same_gini_index(run, reported):
    own, learnt = run.metrics["lists"]["Gini@20"], gini_index(run.split.training_counts)
    assert (
        f"more unequally than it was taken: the Gini index of the lists is {own:.2f}, that of the "
        f"training interactions {learnt:.2f}"
    ) in model_card_section(reported)


def test_groups_are_shown_with_their_figures_also_those_of_ones_own(run, monkeypatch):
    monkeypatch.setitem(GROUPINGS, "letter", Grouping("the first letter", lambda *_: {}))
    groups = {
        name: {
            group: {"users": 9, "NDCG@20": value, "HR@20": 0.5, "MRR@20": 0.5}
            for group, value in found
        }
        for name, found in {
            "length": [("1 to 4", 0.125), ("5 to 9", 0.25)],
            "letter": [("digit", 0.0625), ("other", 0.75)],
            "popularity": [("0", 0.5)],
        }.items()
    }
    grouped = dataclasses.replace(run, metrics=run.metrics | {"groups": groups})
    runs = [ReportedRun(name, grouped, {}, datetime.date(1970, 9, 1)) for name in ("one", "two")]
    for shown in (runs[:1], runs):
        section = groups_section(shown)
        for text in ("items in the history", "1 to 4", "0.1250", "the first letter", "0.7500"):
            assert text in section
        # A single group is everybody.
        assert "interactions of the target" not in section


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_a_copy_of_a_run_was_trained_when_the_run_was(run, tmp_path):
    write_prepared(run.interactions, tmp_path / "log")
    before = datetime.datetime.now(datetime.UTC).date()
    fit(make_config("transitions", data=str(tmp_path / "log")), tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    os.utime(directory.model, (0, 0))
    finished = load_run(directory.path)
    days = before, datetime.datetime.now(datetime.UTC).date()
    assert ReportedRun.of(finished, directory).trained in days
    # Earlier versions don't write the day.
    directory.seal()
    assert ReportedRun.of(finished, directory).trained == datetime.date(1970, 1, 1)


def test_the_days_of_the_log_are_looked_for_once(reported):
    times = reported.run.interactions.times
    found = reported.days
    assert found[0] < found[1] < datetime.date(1970, 4, 11)
    assert reported.days is found
    assert (found[1] - datetime.date(1970, 1, 1)).days == times.max() // DAY
