"""The page about a log, in a browser."""

import numpy as np
import pandas as pd
import pytest

from tf_iclrec.data.reading import load_interactions
from tf_iclrec.reports.data_report import write_data_report

pytestmark = pytest.mark.browser

PREPARATION = {
    "sources": ["a_log_with_a_long_name_" * 5 + ".csv"],
    "rows_read": 1234,
    "dropped": {"without an item": 234},
    "rounds": [{"users": 70, "items": 60, "actions": 5000}, {"users": 7, "actions": 1000}],
    "columns": {"user": "customer"},
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    rows = np.arange(600)
    frame = pd.DataFrame(
        {
            "user_id": rows % 30,
            "item_id": rows * 7 % 41,
            "timestamp": 1_500_000_000 + rows * 360_000,
            "provider": pd.Series(rows % 3).astype(str) + " & sons",
            "rating": rows % 5,
        }
    )
    log = load_interactions(frame, rating_column="rating")
    path = tmp_path_factory.mktemp("data") / "report.html"
    write_data_report(log, path, PREPARATION)
    return path


def test_the_page_is_sound(browser_page, report, look):
    page = browser_page(report, **look)
    page.check_sound()
    assert page.overlaps() == []
    assert page.page.locator("svg.chart").count() >= 6
