"""Figures of logs against slow loops over users and interactions."""

import collections
import dataclasses

import numpy as np
import pandas as pd
import pytest

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.reading import load_interactions
from tf_iclrec.data.splits.leave_one_out import leave_one_out
from tf_iclrec.data.times import parse_time
from tf_iclrec.reports.figures import user_parts
from tf_iclrec.reports.figures.activity import Activity
from tf_iclrec.reports.figures.data_figures import DataFigures
from tf_iclrec.reports.figures.held_out import HeldOutFigures
from tf_iclrec.reports.figures.histogram import integer_histogram
from tf_iclrec.reports.figures.popularity import Popularity

_DAY = 86_400


@pytest.fixture(params=[5, 1 << 21])
def log(request, monkeypatch):
    """A random log with everything there can be, read in parts of 5 interactions or at once."""
    monkeypatch.setattr(
        user_parts.user_parts, "__defaults__", (request.param,)
    )  # Every figure goes through it.
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "user_id": random.integers(20, size=200).astype(str),
            "item_id": random.zipf(1.5, size=200).clip(max=30).astype(str),
            "timestamp": 1_500_000_000 + random.integers(90, size=200) * _DAY,
        }
    )
    log = load_interactions(frame).with_item_providers({"1": "a", "2": "b", "3": "a"})
    ratings = random.integers(1, 6, size=200).astype(np.float32)
    ratings[7] = np.nan
    return dataclasses.replace(log, ratings=ratings)


def histories(log, values):
    return [values[a:b].tolist() for a, b in zip(log.offsets[:-1], log.offsets[1:], strict=True)]


def test_repeats(log):
    repeats, users_of_items = DataFigures(log).repeats, collections.Counter()
    repeated = consecutive = 0
    for items in histories(log, log.item_ids):
        users_of_items.update(set(items))
        for place, item in enumerate(items):
            repeated += item in items[:place]
            consecutive += items[place - 1 : place] == [item]
    assert (repeats.repeated, repeats.consecutive) == (repeated, consecutive)
    of_users = zip(histories(log, log.item_ids), histories(log, log.times), strict=True)
    copies = log.num_actions - sum(len(set(zip(*one, strict=True))) for one in of_users)
    assert repeats.copies == copies > 0
    assert repeats.users_of_items.tolist() == [
        users_of_items[item + 3] for item in range(log.num_items)
    ]


def test_ties(log):
    tied = sum(times.count(time) > 1 for times in histories(log, log.times) for time in times)
    assert 0 < DataFigures(log).times.tied == tied


def test_activity(log):
    activity = DataFigures(log).activity
    days = pd.Series(pd.to_datetime(log.times, unit="us").strftime("%Y-%m-%d")).value_counts()
    assert activity.unit == "day"
    assert activity.counts.tolist() == [days.get(day, 0) for day in activity.labels]
    assert activity.counts.sum() == log.num_actions


@pytest.mark.parametrize(
    ("first", "last", "unit", "frequency"),
    [
        ("2017-01-31T10:00", "2017-01-31T10:01", "second", None),
        ("2017-01-31", "2017-02-03T12:00", "hour", "h"),
        ("2016-02-29", "2017-06-01", "week", "W-SUN"),
        ("2012-02-29", "2017-06-01", "month", "M"),
        ("1999-02-28", "2017-06-01", "quarter", "Q"),
        ("1960-12-31T23:59:59", "2017-06-01", "year", "Y"),
    ],
)
def test_activity_per_unit_of_the_calendar(first, last, unit, frequency):
    times = np.linspace(parse_time(first), parse_time(last), 1000).astype(np.int64)
    log = Interactions.from_columns(np.zeros(1000, np.int64), np.array(["u"]), times % 7, times)
    activity = Activity.of(log)
    assert activity.unit == unit
    assert 30 <= len(activity.counts) <= 120
    if frequency:
        periods = pd.Series(pd.to_datetime(times, unit="us")).dt.to_period(frequency)
        assert activity.counts.tolist() == periods.value_counts().sort_index().tolist()
        start = periods.min().start_time.isoformat().replace("T", " ")
        assert start.startswith(activity.labels[0])


def test_times_that_are_mistakes_are_not_drawn():
    times = np.array([parse_time("2017-01-01"), parse_time("2017-02-20"), 2**62])
    log = Interactions.from_columns(np.zeros(3, np.int64), np.array(["u"]), np.arange(3), times)
    activity = Activity.of(log)
    assert (activity.unit, len(activity.counts), activity.not_drawn) == ("day", 51, 1)
    assert Activity.of(dataclasses.replace(log, times=np.full(3, 2**62))) is None


def test_providers(log):
    providers = DataFigures(log).providers
    of_users, loyalty = [], []
    for ids in histories(log, log.provider_ids):
        known = collections.Counter(i for i in ids if i != 1)
        of_users.append(len(known))
        if known.total() >= 2:
            loyalty.append(max(known.values()) / known.total())
    assert providers.of_users.tolist() == of_users
    assert providers.loyalty == pytest.approx(np.mean(loyalty))
    ids = log.provider_ids.tolist()
    assert providers.interactions.tolist() == [ids.count(3), ids.count(4)]
    assert providers.items.tolist() == [2, 1]


def test_ratings(log):
    known = log.ratings[np.isfinite(log.ratings)]
    ratings = DataFigures(log).ratings
    assert ratings.labels == ["1", "2", "3", "4", "5"]
    assert ratings.counts.tolist() == [(known == value).sum() for value in range(1, 6)]
    assert (ratings.known, ratings.mean) == (199, pytest.approx(known.mean()))
    many = dataclasses.replace(log, ratings=np.arange(200, dtype=np.float32))
    assert DataFigures(many).ratings.counts.tolist() == [10] * 20


def test_popularity(log):
    counts = DataFigures(log).popularity.counts
    assert counts.tolist() == [
        log.item_ids.tolist().count(item + 3) for item in range(log.num_items)
    ]
    popularity = Popularity(counts)
    differences = np.abs(np.subtract.outer(counts, counts)).sum()
    # As of lists: of n by n - 1 pairs, so that it is 1 where one has everything.
    assert popularity.gini == pytest.approx(differences / (2 * (len(counts) - 1) * counts.sum()))
    assert (Popularity(np.array([0, 4])).gini, Popularity(np.zeros(3)).gini) == (1.0, 0.0)
    ranks, values = popularity.curve(points=10)
    assert (ranks[0], ranks[-1]) == (1, len(counts))
    assert values.tolist() == [sorted(counts, reverse=True)[rank - 1] for rank in ranks]


def test_a_histogram_has_every_value_once():
    values = np.random.default_rng(0).zipf(1.3, size=1000).clip(max=10**6) - 1
    labels, counts = integer_histogram(values)
    assert counts.sum() == 1000
    assert len(labels) <= 25
    for label, count in zip(labels, counts, strict=True):
        low, _, high = label.replace(",", "").partition("-")
        assert count == ((values >= int(low)) & (values <= int(high or low))).sum()


def test_test_items(log):
    split = leave_one_out(log)
    found = HeldOutFigures.of(split)
    sequences = [items for items in histories(log, log.item_ids) if len(items) >= 3]
    trained = {item for items in sequences for item in items[:-2]}
    assert found.number == len(sequences)
    assert found.untrained == sum(items[-1] not in trained for items in sequences)
    assert found.seen == sum(items[-1] in items[:-1] for items in sequences)
