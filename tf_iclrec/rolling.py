"""The same training at several dates: how a system does from one time to the next."""

import datetime
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from tf_iclrec.checksums import read_sealed
from tf_iclrec.config import Config, make_config
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.prepared import is_same_log, read_prepared
from tf_iclrec.data.reading import read_log
from tf_iclrec.data.times import format_time, parse_time
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.tables import metrics_table
from tf_iclrec.files import write_json
from tf_iclrec.fit import fit_log
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import read_config, split_of, start_run
from tf_iclrec.training.cluster import Cluster

# Settings that the dates decide.
SET_BY_DATES = ("split_at", "split_test_at", "split_until")
# As in `Run.metrics`.
Metrics = dict[str, Any]


def fit_at_dates(
    config: Config,
    dates: Sequence[str | datetime.date],
    output: str | Path,
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Metrics]:
    """Train anew at each of several dates on what was before it, and test on the time up to the
    next; prints a table.

    A folder per date in ``output`` holds its run; ``metrics.json`` all metrics and their means.

    Args:
        config: Settings, see `make_config`; where to split is set for each date, and nothing is
            trained for serving.
        dates: Where to split, ascending, such as ``"2017-06-01"``; the last time has no end.
        output: The folder to write.
        resume: Keep the runs that are finished, and go on with the others. Where another date
            follows now, up to which it is tested, a date is trained again.
        overwrite: Replace what is in ``output``.

    Returns:
        The metrics of each date, and under ``"mean"`` their means, which count all dates alike.

    Raises:
        UserError: If the data or a setting can't be used; nothing is written then.

    Example:
    >>> from tf_iclrec import make_config
    >>> config = make_config("iclrec", data="log.csv")
    >>> found = fit_at_dates(config, ["2017-06-01", "2017-07-01"], "runs/months")  # doctest: +SKIP
    >>> found["2017-06-01"]["test"]["HR@5"], found["mean"]["test"]["HR@5"]  # doctest: +SKIP
    (0.052, 0.05)
    >>> fit_at_dates(config, ["2017-07-01", "2017-06-01"], "runs/months")
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: The dates to split at must ascend, not be 2017-07-01 2017-06-01.
    """
    if len(Cluster.of_environment()) > 1:
        raise UserError("--roll trains one run after the other, in one process without TF_CONFIG.")
    moments = [parse_time(date) for date in dates]
    # A day or a time of Python names its folder.
    dates = [
        date if isinstance(date, str) else format_time(moment)
        for date, moment in zip(dates, moments, strict=True)
    ]
    if any(later <= earlier for earlier, later in itertools.pairwise(moments)):
        raise UserError(f"The dates to split at must ascend, not be {' '.join(dates)}.")
    _check_dates_alone(config)
    by_date = {
        date: _split_at(config, date, until)
        for date, until in zip(dates, [*dates[1:], ""], strict=True)
    }
    output = RunDirectory.at(output)
    with output.written(resume, overwrite) as directory:
        goes_on = resume and directory.config.is_file()
        if goes_on:
            _check_resumable(config, directory)
        runs = {date: RunDirectory(directory.path / date) for date in dates}
        others = {date for date in dates if _is_another(runs[date], by_date[date])}
        unfinished = [date for date in dates if date in others or not runs[date].metrics.is_file()]
        if unfinished:
            # Once for all dates, and not at all where all are finished.
            log = read_log(**config.data).log
            _check_same_log(log, runs.values())
            for date in unfinished:
                split_of(by_date[date], log)
        else:
            print("Nothing to train: all dates are finished. The data were not read.")
        if not goes_on:
            start_run(directory, config)
        for date in unfinished:
            print(f"\nAt {date}", flush=True)
            one, again = by_date[date], date in others
            if again:
                print(f"Trained again, as it is tested up to {one.split.until or 'the end'} now.")
            fit_log(one, runs[date].path, not again, again, interactions=log)
        found = {date: read_sealed(run.metrics) for date, run in runs.items()}
        found["mean"] = _mean(list(found.values()))
        write_json(directory.metrics, found)
    print("\nTest metrics by date, whole catalogue ranked")
    print(metrics_table({date: metrics["test"] for date, metrics in found.items()}))
    print(f"Folder: {output.path}", flush=True)
    return found


def _check_dates_alone(config: Config) -> None:
    """Refuse times of a split beside the dates, as they would not be applied."""
    usual = make_config(config.model, split="time").split
    for option in SET_BY_DATES:
        name = option.removeprefix("split_")
        if config.split.get(name, usual[name]) != usual[name]:
            raise UserError(
                "The dates say where to split, and each is tested up to the next: leave out "
                f"{option}={config.split[name]}, or set it to {usual[name]!r} where it comes from "
                "an earlier run."
            )


def _is_another(run: RunDirectory, config: Config) -> bool:
    """Whether what is there was trained for another time."""
    return run.config.is_file() and read_config(run).split != config.split


def _check_same_log(log: Interactions, runs: Iterable[RunDirectory]) -> None:
    """Refuse figures of several logs in one table."""
    for run in runs:
        if run.data.is_dir() and not is_same_log(read_prepared(run.data), log):
            raise UserError(
                f"The data have changed since {run.path} was started: the dates would not compare. "
                "Train all with --overwrite, or in another folder."
            )


def _split_at(config: Config, date: str, until: str) -> Config:
    given = {"split": "time", "split_at": date, "split_until": until, "refit": False}
    return config.replace(**given)


def _check_resumable(config: Config, directory: RunDirectory) -> None:
    if read_config(directory) != config:
        raise UserError(f"What is in {directory.path} was started with other settings.")


def _mean(found: Sequence[Metrics]) -> Metrics:
    """Of the metrics that all dates have: which groups there are differs."""
    means: Metrics = {}
    for part in ("valid", "test", "lists"):
        of_dates = [one.get(part, {}) for one in found]
        names = [name for name in of_dates[0] if all(name in one for one in of_dates)]
        means[part] = {name: fmean(one[name] for one in of_dates) for name in names}
    return means
