"""The page of a run: what it says, and how it looks in a browser."""

import dataclasses
import datetime
import importlib
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tf_iclrec import build_model, fit, leave_one_out, make_config
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.evaluation.groups import GROUPINGS
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.metrics import gains_of_ranks
from tf_iclrec.evaluation.significance import paired_t_test
from tf_iclrec.reports.run_report import write_run_report
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.runs import Run, load_run

from ..command_line import refused, run_here
from ..reports.page_tables import PageTables

pytestmark = pytest.mark.browser

EVIL = "<script>alert('&\"')</script>"
FIT = importlib.import_module("tf_iclrec.fit")  # Not the function of this name.
TINY = {"hidden_dim": 8, "num_blocks": 1, "max_length": 10, "epochs": 2}
DAY = 86_400_000_000


def log_with_all(seed=0):
    """Times, providers and titles; the titles are not to be trusted."""
    log, _ = planted_intents(num_users=150, num_items=48, num_intents=4, seed=seed)
    ids = log.items.ids.tolist()
    log = log.with_item_providers({item: f"shop {int(item) % 5}" for item in ids})
    log = log.with_item_label("title", {item: f"Tea no. {item} {EVIL}" for item in ids[1:]})
    return dataclasses.replace(log, times=np.arange(log.num_actions) * DAY // 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Other tests do without.
        patch.setattr(FIT, "write_run_report", write_run_report)
        yield tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data(folder):
    write_prepared(log_with_all(), folder / "data")
    return str(folder / "data")


@pytest.fixture(scope="module")
def run(folder, data):
    config = make_config(data=data, num_intents=(4,), **TINY)
    fit(config, folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def earlier(folder, data):
    fit(make_config(model="transitions", data=data), folder / "earlier")
    return folder / "earlier"


@pytest.fixture(scope="module")
def other_data(folder):
    write_prepared(log_with_all(seed=1), folder / "other_data")
    config = make_config(model="transitions", data=str(folder / "other_data"))
    fit(config, folder / "other")
    return folder / "other"


def report(*arguments):
    result = run_here("report", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def shown(metrics, names):
    return [f"{metrics[name]:.4f}" for name in names]


def test_the_tables_are_those_of_metrics_json(run):
    page, metrics = (
        PageTables.of(run / "report.html"),
        json.loads((run / "metrics.json").read_text()),
    )
    names, models = list(metrics["test"]), list(metrics["yardsticks"])
    (header, *rows) = page["Test metrics"]
    assert header == ["", "run", "95% interval", *models]
    assert [row[0] for row in rows] == names
    assert [row[1] for row in rows] == shown(metrics["test"], names)
    for row in rows:
        low, high = metrics["intervals"][row[0]]
        assert row[2] == f"{low:.4f} to {high:.4f}"
    for column, model in enumerate(models, start=3):
        yardstick = metrics["yardsticks"][model]["test"]
        assert [row[column] for row in rows] == shown(yardstick, names)

    (header, *rows) = page["What the lists are like"]
    assert header == ["", "run", *models]
    explained = {row[0].partition(" ")[::2]: row[1] for row in rows}
    assert {name: value for (name, _), value in explained.items()} == {
        name: f"{value:.4f}" for name, value in metrics["lists"].items()
    }
    assert all(meaning for _, meaning in explained)

    for grouping in ("length", "popularity"):
        (_, *rows) = page[f"By {GROUPINGS[grouping].by}"]
        groups = metrics["groups"][grouping]
        assert [row[0] for row in rows] == list(groups)
        for row in rows:
            group = groups[row[0]]
            assert row[1] == str(group["users"])
            assert row[2:] == shown(group, ("NDCG@20", "HR@20", "MRR@20"))


def test_settings_that_differ_come_first_and_all_are_there(run):
    page = PageTables.of(run / "report.html")
    changed = {row[0]: row[1:3] for row in page["Settings that are not the defaults of iclrec"][1:]}
    assert changed["--hidden-dim"] == ["8", "256"]
    assert changed["--num-intents"][0] == "4"
    assert "--batch-size" not in changed
    every = {row[0]: row[1] for row in page["All settings"][1:]}
    assert every["--batch-size"] == "64"
    assert len(every) == len(load_run(run).config.options())


def test_the_history_is_drawn_and_in_a_table(run):
    page = PageTables.of(run / "report.html")
    (header, *rows) = page["Figures of every epoch"]
    assert {"epoch", "loss", "next item", "NDCG@20", "moved, K=4"} <= set(header)
    assert [row[0] for row in rows] == ["1", "2"]
    titles = {"Training: loss", "Validation: NDCG", "E-step: inertia of the clusters"}
    assert {f"{title}: figures" for title in titles} <= set(page.tables)


def test_examples_have_reasons_from_their_own_histories(run, browser_page):
    page = browser_page(run / "report.html").page
    log = load_run(run).interactions
    cards = page.locator("#examples details")
    assert cards.count() == 10
    for card in cards.all():
        user = log.users.tolist().index(card.get_by_role("heading").text_content().split()[1])
        own = log.titles[log.item_ids[log.offsets[user] : log.offsets[user + 1] - 1] - 3]
        for reason in card.locator("ul li span").all_text_contents():
            assert any(reason.startswith(title) for title in own)
    assert page.locator("#examples ul li").count() > 10


def test_what_users_typed_is_no_markup(run):
    text = (run / "report.html").read_text()
    page = PageTables(text)
    assert "script" not in [tag for tag, _ in page.tags]
    assert text.count("&lt;script&gt;") > 10
    assert not [attributes for _, attributes in page.tags if "src" in attributes]


def test_the_page_is_sound(run, browser_page, look):
    opened = browser_page(run / "report.html", **look)
    opened.check_sound()
    assert opened.overlaps() == []
    assert opened.page.locator("svg[role=img]").count() >= 8


def test_it_needs_no_scripts_and_no_mouse(run, browser_page):
    page = browser_page(run / "report.html", scripts=False).page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.get_by_role("navigation").get_by_role("link", name="Model card").focus()
    page.keyboard.press("Enter")
    assert 0 <= page.get_by_role("heading", name="Model card").bounding_box()["y"] < 900


def test_the_picture_for_the_readme(run, tmp_path):
    script = Path(__file__).parents[2] / "docs" / "picture.py"
    command = [sys.executable, script, run / "report.html", "--output", tmp_path / "report.png"]
    subprocess.run(command, check=True, timeout=120)
    header = (tmp_path / "report.png").read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    width, height = struct.unpack(">2I", header[16:])
    assert width == 1200
    assert 800 < height < 2400


def test_the_command_makes_the_same_page_again(run, tmp_path):
    assert str(tmp_path / "again.html") in report(run, "--output", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == (run / "report.html").read_text()


def test_an_earlier_run_is_tested_user_by_user(run, earlier, browser_page, tmp_path):
    path = tmp_path / "compared.html"
    report(run, "--compare", earlier, "--output", path)
    page = PageTables.of(path)
    ranks = []
    for one in map(load_run, (run, earlier)):
        ranks.append(held_out_ranks(one.model, one.split, "test"))
    expected = paired_t_test(*(gains_of_ranks(one)["NDCG@20"] for one in ranks))
    rows = page["Differences from earlier, user by user (paired t-test)"]
    by_metric = {row[1]: row[2:] for row in rows}
    assert by_metric["NDCG@20"][0] == f"{expected.difference:+.4f}"
    assert by_metric["NDCG@20"][1] in (f"{expected.p_value:.3f}", "below 0.001")
    assert by_metric["Coverage@20"][1] == ""  # All users together have one.
    assert by_metric["Novelty@20"][1]
    metrics = json.loads((earlier / "metrics.json").read_text())["test"]
    (header, *rows) = page["Test metrics"]
    column = header.index("earlier")
    assert [row[column] for row in rows] == shown(metrics, metrics)
    browser_page(path, width=400).check_sound()


def test_runs_stand_side_by_side(run, earlier, other_data, browser_page, tmp_path):
    path = tmp_path / "side.html"
    report(run, earlier, other_data, "--output", path)
    page = PageTables.of(path)
    assert page["Test metrics"][0][1:4] == ["run", "earlier", "other"]
    settings = {row[0]: row[1:] for row in page["Settings that differ"][1:]}
    assert settings["model"] == ["iclrec", "transitions", "transitions"]
    assert settings["--hidden-dim"] == ["8", "(not read)", "(not read)"]
    assert len({*settings["--data"]}) == 2
    text = path.read_text()
    assert "other and run: The runs can&#x27;t be compared: their test targets are not" in text
    assert "Differences from run, user by user (paired t-test)" in page.tables
    for width in (400, 1400):
        browser_page(path, width=width).check_sound()


def test_a_model_that_is_not_trained_in_epochs_has_a_page_too(earlier, browser_page):
    page = PageTables.of(earlier / "report.html")
    assert "Figures of every epoch" not in page.tables
    assert next(one["id"] for tag, one in page.tags if tag == "section") == "test-metrics"
    browser_page(earlier / "report.html", width=400, scheme="dark").check_sound()


@pytest.mark.parametrize(("model", "settings"), [("bpr_mf", {}), ("provider_sum", TINY)])
def test_every_kind_of_model_has_a_page(model, settings, tmp_path):
    log = log_with_all()
    log = log.with_item_attribute("color", dict.fromkeys(log.items.ids, "red"))
    config, split = make_config(model=model, **settings), leave_one_out(log)
    # Of a run of before lists and intervals were measured.
    metrics = {"test": {f"{kind}@20": 0.1 for kind in ("HR", "NDCG", "MRR")}}
    new = Run(build_model(config, split.catalogue), split, config, metrics)
    reported = ReportedRun("new", new, {}, datetime.date(1970, 9, 1))
    write_run_report([reported], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert ("for want of a vector of their own" in text) == (model == "bpr_mf")
    assert ("does not read the providers" in text) == (model == "bpr_mf")
    assert ("does not read the attributes color" in text) == (model == "bpr_mf")
    assert "days before the training" in text
    assert PageTables(text)["Test metrics"][1] == ["HR@20", "0.1000"]


def test_a_page_that_fails_loses_no_training(data, tmp_path, monkeypatch, capsys):
    def fail(*arguments):
        raise ValueError("out of ink")

    monkeypatch.setattr(FIT, "write_run_report", fail)
    fit(make_config(model="transitions", data=data), tmp_path / "run")
    assert "No page could be made of the run: ValueError('out of ink')" in capsys.readouterr().out
    assert load_run(tmp_path / "run").metrics["test"]
    assert not (tmp_path / "run" / "report.html").exists()


def test_of_many_users_some_are_described_and_it_is_said(run, monkeypatch, tmp_path):
    monkeypatch.setattr("tf_iclrec.reports.run_sections.intents._MOST_USERS", 40)
    report(run, "--output", tmp_path / "report.html")
    page = PageTables.of(tmp_path / "report.html")
    assert sum(int(row[2]) for row in page["Intents, by number of users"][1:]) == 40
    assert "figures of 40 users, drawn from 150" in (tmp_path / "report.html").read_text()


def test_bad_input(run, earlier, other_data, tmp_path):
    unfinished = tmp_path / "unfinished"
    shutil.copytree(run, unfinished, ignore=shutil.ignore_patterns("model.keras", "saved_model"))
    refused("is not finished", "report", unfinished)
    refused("is not a run directory", "report", tmp_path)
    refused("--output", "report", run, earlier)
    refused(
        "The runs can't be compared: their test targets are not the same.",
        *("report", run, "--compare", other_data, "--output", tmp_path / "x.html"),
    )
    assert not (tmp_path / "x.html").exists()
    refused("No such folder", "report", earlier, "--output", tmp_path / "nowhere" / "x.html")
