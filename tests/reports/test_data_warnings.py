"""Each warning on a log that has the fault, and none on sound ones."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tf_iclrec.data.item_cells import read_item_attribute
from tf_iclrec.data.reading import load_interactions
from tf_iclrec.reports.data_warnings import data_warnings
from tf_iclrec.reports.figures.data_figures import DataFigures

_NUMBER = 1000


def frame(**columns):
    """A sound log: 150 users, 100 items, no repeats."""
    rows = np.arange(_NUMBER)
    sound = {
        "user_id": pd.Series(rows % 150).astype(str),
        "item_id": pd.Series(rows * 7 % 101).astype(str),
        "timestamp": 1_500_000_000 + rows * 3600,
    }
    return pd.DataFrame(sound | columns)


def warnings_of(log):
    return data_warnings(DataFigures(log))


def warnings_for(**columns):
    return warnings_of(load_interactions(frame(**columns)))


def where(condition, value, column="item_id"):
    return frame()[column].where(~condition, value)


ROWS = np.arange(_NUMBER)
SECONDS = frame()["timestamp"].to_numpy()
FAULTS = {
    "24.0% (240) of the times are in 1970": {"timestamp": np.where(ROWS < 240, 0, SECONDS)},
    "0.10% (1) of the times are in 1970": {"timestamp": np.where(ROWS == 5, 0, SECONDS)},
    "so their numbers are no dates": {"timestamp": ROWS},
    "dates written as digits, from 20170601 to 20170630": {"timestamp": 20170601 + ROWS % 30},
    "dates written as digits, from 20170601120000 to": {"timestamp": 20170601120000 + ROWS % 60},
    "0.30% (3) of the times are after the year 2100": {
        "timestamp": np.where(ROWS < 3, 9_000_000_000, SECONDS)
    },
    "All interactions have the same time, 2017-07-14T02:40:00": {"timestamp": 1_500_000_000},
    "The user 'robot' has 20.0% of all": {"user_id": where(ROWS < 200, "robot", "user_id")},
    "The item 'bag' is in 100.0% of all histories": {"item_id": where(ROWS < 150, "bag")},
    "value, 'acme', which tells a model nothing": {"provider": "acme"},
    "94.1% (640) of the users have only one or two": {
        "user_id": np.where(ROWS < 640, ROWS, 640 + ROWS % 40).astype(str)
    },
    "2 items have ids that differ only by case or blanks around them, such as 'Tea ' and 'tea'": {
        "item_id": where(ROWS % 500 == 0, "Tea ").where(ROWS % 500 != 1, "tea")
    },
    "2 users have ids that differ only by case": {
        "user_id": where(ROWS % 150 == 1, "ann", "user_id").where(ROWS % 150 != 2, "ANN")
    },
    "3 items have ids that are the same number written in two ways, such as": {
        "item_id": where(ROWS == 1, "07.0").where(ROWS != 900, "07")
    },
    "of the interactions are items that the user had before": {
        "item_id": where(ROWS > 700, frame()["user_id"])
    },
    "2.0% (20) of the interactions are there once more, with the same user, item and time": {
        name: np.where(ROWS < 980, cells, np.roll(cells, 100)) for name, cells in frame().items()
    },
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_is_said_and_nothing_else(sentence):
    (warning,) = warnings_for(**FAULTS[sentence])
    assert sentence in warning


def test_a_sound_log_has_no_warning():
    assert warnings_for() == []


def test_constant_ratings():
    log = load_interactions(frame())
    (warning,) = warnings_of(dataclasses.replace(log, ratings=np.ones(_NUMBER, np.float32)))
    assert "All ratings are 1" in warning


def test_real_logs(shared):
    """Only the brands of Beauty have a fault."""
    logs = [load_interactions("completejourney")]
    logs.append(load_interactions(shared / "data/ml-100k/ml-100k.inter"))
    for log in logs:
        assert warnings_of(log) == []
    brands = read_item_attribute(shared / "data/items/Beauty.tsv")
    log = load_interactions(shared / "data/sequences/Beauty.txt").with_item_providers(brands)
    (warning,) = warnings_of(log)
    assert "4 providers have ids that differ only by case" in warning
