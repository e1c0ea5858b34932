"""The page: whole, well-formed, and safe whatever the ids hold."""

import dataclasses
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import UserError
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.reading import load_interactions
from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.data_report import write_data_report
from tf_iclrec.reports.page import page, write_page

EVIL = "<script>alert('&\"')</script>"
PREPARATION = {
    "sources": [f"{EVIL}.csv"],
    "rows_read": 1234,
    "dropped": {f"without {EVIL}": 234},
    "rounds": [{"users": 70, "items": 60, "actions": 5000}, {"users": 7, "actions": 1000}],
    "columns": {"user": EVIL},
    "notes": [EVIL],
}


class Checker(HTMLParser):
    """Tags, whether each is closed where it should be, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], "", []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def log():
    rows = np.arange(300)
    frame = pd.DataFrame(
        {
            "user_id": pd.Series(rows % 30).astype(str) + EVIL,
            "item_id": pd.Series(rows * 7 % 41).astype(str) + EVIL,
            "timestamp": 1_500_000_000 + rows * 36_000,
            "provider": pd.Series(rows % 3).astype(str) + EVIL,
        }
    )
    log = load_interactions(frame)
    log = log.with_item_attribute(EVIL, {log.items.ids[0]: EVIL})
    return dataclasses.replace(log, ratings=rows.astype(np.float32))


def test_a_full_page_is_sound_and_runs_no_foreign_code(log, tmp_path):
    write_data_report(log, tmp_path / "report.html", PREPARATION)
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    found = Checker(written)
    assert "script" not in found.tags
    assert EVIL in found.text
    for title in ("Reading", "Core", "Histories", "Items", "Times", "Providers", "Ratings"):
        assert f"<h2>{title}</h2>" in written
    assert "1,234" in found.text
    assert found.tags.count("caption") == found.tags.count("table")
    charts = found.attributes.count(("svg", "role", "img"))
    assert charts == found.tags.count("desc") == 6
    # Nothing is loaded from anywhere.
    links = [value for _, name, value in found.attributes if name in ("src", "href")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(" not in written
    assert ("html", "lang", "en") in found.attributes


@pytest.mark.parametrize("preparation", [None, {}, {"rounds": [{}]}, {"dropped": {"twice": 1}}])
def test_a_page_of_little(preparation, tmp_path):
    log = Interactions.from_sequences({"ann": ["tea"]})
    write_data_report(log, tmp_path / "report.html", preparation)
    found = Checker((tmp_path / "report.html").read_text())
    assert "interactions" in found.text
    assert "nan" not in found.text


def test_a_file_name_that_is_no_text(tmp_path):
    log = Interactions.from_sequences({"ann": ["tea"]})
    write_data_report(
        log, tmp_path / "report.html", {"sources": [b"\xff.csv".decode(errors="surrogateescape")]}
    )
    Checker((tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["", "none/report.html"])
def test_a_page_that_can_not_be_written_is_a_line(name, tmp_path):
    with pytest.raises(UserError, match=rf"^{tmp_path / name} can't be written: \w[\w ]+\.$"):
        write_page(page("Run"), tmp_path / name)
    assert not list(tmp_path.parent.glob(".writing*"))


def test_lines_that_can_not_be_drawn_are_left_out():
    lines = {"a": ([1, 2, 3], [np.nan, 0.0, 4.0]), "b": ([], [])}
    chart = line_chart("Loss", lines, "epoch", "loss", x_log=True, y_log=True)
    Checker(page("Run", chart))
    assert chart.count("<polyline") == 2
    assert "nan" not in chart


@pytest.mark.parametrize("values", [[0, 0], [5], [], [-3, 7], [0.001, 0.0012], [1e9, 3e9]])
def test_every_value_has_a_place_on_the_axis(values):
    axis = Axis.over(values)
    places = axis.places([*values, *axis.ticks()])
    assert ((places >= -1e-9) & (places <= 1 + 1e-9)).all()
    assert 2 <= len(axis.ticks()) <= 7
