"""One training at each of several dates."""

import dataclasses
import datetime
import importlib
import json
import shutil

import pytest

from tf_iclrec import UserError, by_time, fit_at_dates, load_run, make_config, train
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.reading import read_log

from .timed_logs import timed_planted_intents

pytestmark = pytest.mark.usefixtures("not_exported")

DATES = ["1970-02-10", "1970-03-01", "1970-03-20"]


@pytest.fixture(scope="module")
def log():
    return timed_planted_intents(num_users=60, num_items=30, num_intents=3)


@pytest.fixture(scope="module")
def config(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    write_prepared(log, folder)
    return make_config("transitions", data=str(folder))


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    output = tmp_path_factory.mktemp("rolling") / "run"
    return fit_at_dates(config, DATES, output), output


def test_each_date_is_trained_before_and_tested_up_to_the_next(finished, log):
    found, output = finished
    for date, until in zip(DATES, [*DATES[1:], ""], strict=True):
        run = load_run(output / date)
        expected = by_time(log, date, until=until)
        assert run.split.summary() == expected.summary()
        assert run.metrics == found[date]


def test_a_folder_of_runs_is_none_itself(finished):
    _, output = finished
    with pytest.raises(UserError, match="holds a run for each date of --roll: name the folder of"):
        load_run(output)


def test_runs_know_how_their_prepared_data_were_read(log, tmp_path):
    folder = tmp_path / "log"
    options = {"user_column": "who", "repeats": "first"}
    write_prepared(log, folder, {"options": options})
    fit_at_dates(make_config("transitions", data=str(folder)), DATES[:1], tmp_path / "run")
    shutil.rmtree(folder)
    how_read = load_run(tmp_path / "run" / DATES[0]).how_read
    assert (how_read["user_column"], how_read["repeats"]) == ("who", "first")


def test_the_log_is_read_once(config, tmp_path, monkeypatch):
    read = []
    for module in ("fit", "rolling"):
        module = importlib.import_module(f"tf_iclrec.{module}")
        monkeypatch.setattr(
            module, "read_log", lambda **data: read.append(data) or read_log(**data)
        )
    fit_at_dates(config, DATES[:2], tmp_path / "run")
    assert len(read) == 1
    fit_at_dates(config, DATES[:2], tmp_path / "run", resume=True)
    assert len(read) == 1


def test_means_count_dates_alike(finished):
    found, output = finished
    assert json.loads((output / "metrics.json").read_text()) == found
    for part in ("valid", "test"):
        for name, value in found["mean"][part].items():
            values = [found[date][part][name] for date in DATES]
            assert value == pytest.approx(sum(values) / 3)
    assert found[DATES[0]]["test"] != found[DATES[1]]["test"]


def test_what_is_there_is_kept_and_the_rest_done(finished, config, capsys):
    found, output = finished
    (output / "metrics.json").unlink()
    (output / DATES[1] / "metrics.json").unlink()
    before = (output / DATES[0] / "model.keras").stat().st_mtime_ns
    capsys.readouterr()
    assert fit_at_dates(config, DATES, output, resume=True) == found
    assert (output / DATES[0] / "model.keras").stat().st_mtime_ns == before
    printed = capsys.readouterr().out
    assert printed.count("Split: by time") == 1
    table = printed[printed.index("Test metrics by date") :].splitlines()
    assert [line.split()[0] for line in table[2:6]] == [*DATES, "mean"]
    with pytest.raises(UserError, match="already holds a run"):
        fit_at_dates(config, DATES, output)
    with pytest.raises(UserError, match="was started with other settings"):
        fit_at_dates(make_config("ease"), DATES, output, resume=True)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (["1970-03-01", "1970-02-01"], "must ascend, not be 1970-03-01 1970-02-01"),
        (["1970-02-01", "1980-01-01"], "Nothing is after the cut at 1980-01-01"),
        (["soon"], "'soon' is no date"),
    ],
)
def test_bad_dates_are_refused_before_anything_is_written(config, tmp_path, dates, message):
    with pytest.raises(UserError, match=message):
        fit_at_dates(config, dates, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_it_is_an_option_of_the_command(config, tmp_path, capsys):
    arguments = ["--model", "transitions", "--data", *config.data.source, "--roll", *DATES[:2]]
    train.main([*arguments, "--output", str(tmp_path / "run"), "--split-targets", "all"])
    assert load_run(tmp_path / "run" / DATES[0]).config.split.targets == "all"
    assert "Test metrics by date" in capsys.readouterr().out


def test_the_date_of_an_earlier_run_is_not_one_of_them(config, tmp_path):
    asked = ["--model", "transitions", "--data", *config.data.source]
    earlier, later = str(tmp_path / "earlier"), str(tmp_path / "later")
    train.main([*asked, "--split", f"time:{DATES[0]}", "--output", earlier])
    settings = str(tmp_path / "earlier" / "config.json")
    train.main(["--config", settings, "--roll", DATES[1], "--output", later])
    assert load_run(tmp_path / "later" / DATES[1]).config.split.at == DATES[1]


def test_days_of_python_are_dates(config, tmp_path):
    found = fit_at_dates(config, [datetime.date(1970, 3, 1)], tmp_path / "run")
    assert [*found] == ["1970-03-01", "mean"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--refit"], "--roll trains nothing for serving: leave out --refit."),
        (["--split", "leave_one_out"], "at its own dates: leave out --split leave_one_out."),
    ],
)
def test_what_would_not_be_done_is_refused(config, tmp_path, options, message):
    asked = ["--model", "transitions", "--data", *config.data.source, "--roll", *DATES]
    with pytest.raises(UserError, match=message):
        train.main([*asked, *options, "--output", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("not_compared")
def test_nothing_is_trained_for_serving_at_the_dates(config, tmp_path):
    refit = make_config("transitions", data=config.data.source, refit=True)
    fit_at_dates(refit, DATES[:1], tmp_path / "run")
    run = load_run(tmp_path / "run" / DATES[0], for_serving=True)
    assert not run.config.final.refit
    assert len(run.split.test.users)


def test_a_date_more_has_the_one_before_trained_again(finished, log, tmp_path, capsys):
    found, _ = finished
    write_prepared(log, tmp_path / "log")
    config = make_config("transitions", data=str(tmp_path / "log"))
    fit_at_dates(config, DATES[:2], tmp_path / "run")
    capsys.readouterr()
    resumed = fit_at_dates(config, DATES, tmp_path / "run", resume=True)
    assert {date: resumed[date]["test"] for date in DATES} == {
        date: found[date]["test"] for date in DATES
    }
    printed = capsys.readouterr().out
    assert printed.count(f"Trained again, as it is tested up to {DATES[2]} now.") == 1
    assert "Nothing to train" not in printed
    assert fit_at_dates(config, DATES, tmp_path / "run", resume=True) == resumed
    assert "Nothing to train: all dates are finished." in capsys.readouterr().out
    # What can't be split is refused before what comes before it is trained again.
    with pytest.raises(UserError, match="Nothing is after the cut at 1980-01-01"):
        fit_at_dates(config, [*DATES, "1980-01-01"], tmp_path / "run", resume=True)
    assert "Trained again" not in capsys.readouterr().out
    # What was trained on other data is no figure beside these.
    shutil.rmtree(tmp_path / "log")
    write_prepared(log.select(log.times > log.times.min()), tmp_path / "log")
    (tmp_path / "run" / DATES[2] / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"data have changed since .*1970-02-10 was started"):
        fit_at_dates(config, DATES, tmp_path / "run", resume=True)


def test_other_items_in_as_many_interactions_are_other_data(log, tmp_path):
    write_prepared(log, tmp_path / "log")
    config = make_config("transitions", data=str(tmp_path / "log"))
    fit_at_dates(config, DATES[:2], tmp_path / "run")
    # One was interrupted before it was finished, the other before it was begun.
    (tmp_path / "run" / DATES[0] / "metrics.json").unlink()
    shutil.rmtree(tmp_path / "run" / DATES[1])
    other = dataclasses.replace(log, item_ids=log.item_ids[::-1])
    write_prepared(other, tmp_path / "log")
    with pytest.raises(UserError, match=r"data have changed since .*1970-02-10 was started"):
        fit_at_dates(config, DATES[:2], tmp_path / "run", resume=True)
    write_prepared(log, tmp_path / "log")
    fit_at_dates(config, DATES[:2], tmp_path / "run", resume=True)


def test_other_times_of_a_split_are_refused(config, tmp_path):
    source = config.data.source
    for times in ({"split": "time:1970-02-01"}, {"split": "time", "split_until": "1970-03-01"}):
        with pytest.raises(UserError, match=r"each is tested up to the next: leave out split_\w+="):
            fit_at_dates(make_config("ease", data=source, **times), DATES, tmp_path / "run")
    assert not (tmp_path / "run").exists()
