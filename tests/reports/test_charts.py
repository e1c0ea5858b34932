"""Where charts put things, and whether their colors can be told from what is behind them."""

import re

import numpy as np
import pytest

from tf_iclrec.reports.charts.axis import Axis
from tf_iclrec.reports.charts.frame import NUM_COLORS
from tf_iclrec.reports.charts.heat_map import heat_map
from tf_iclrec.reports.charts.interval_chart import interval_chart
from tf_iclrec.reports.charts.line_chart import line_chart
from tf_iclrec.reports.charts.scatter_chart import scatter_chart
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.style import STYLE

from .page_tables import PageTables


def numbers(pattern, text):
    return [float(found) for found in re.findall(pattern, text)]


def test_intervals_reach_from_end_to_end():
    chart = interval_chart("Hits", {"a": (0.2, 0.1, 0.4), "b": (0.3, 0.3, 0.3)}, "HR@5")
    # The axis goes from 0.1 to 0.4.
    assert numbers(r'cx="([\d.]+)%"', chart) == pytest.approx([100 / 3, 200 / 3], abs=0.01)
    assert numbers(r'<line x1="([\d.]+)%" x2="100.000%" y1="32"', chart) == [0.0]
    assert "a: 0.2000, from 0.1000 to 0.4000; b: 0.3000." in chart
    table = PageTables(chart)["Hits: figures"]
    assert table[1:] == [["a", "0.2000", "0.1000", "0.4000"], ["b", "0.3000", "0.3000", "0.3000"]]


def test_lines_over_the_same_epochs_share_the_rows_of_their_table():
    lines = {"train": ([1, 2], [0.7, 0.5]), "valid": ([2, 3], [0.6, np.nan])}
    table = PageTables(line_chart("Loss", lines, "epoch", "loss"))["Loss: figures"]
    assert table == [["epoch", "train", "valid"], ["1", "0.7", ""], ["2", "0.5", "0.6"]]


def test_more_lines_than_colors_are_dashed():
    lines = {str(number): ([1, 2], [number, 1]) for number in range(NUM_COLORS + 1)}
    chart = line_chart("Runs", lines, "epoch", "loss")
    assert chart.count('class="line0 again"') == 1
    assert chart.count('class="swatch line0 again"') == 1


def test_a_map_keeps_distances_and_groups():
    points = np.array([[0, 0], [3, 0], [0, 4], [3, 4]])
    chart = scatter_chart("Map", points, np.array([5, 5, 9, 7]), {5: "5", 9: "9"}, Html(""))
    paths = re.findall(r'd="([^"]+)" class="(\w+)"', chart)
    assert [kind for _, kind in paths] == ["rest", "line0", "line1"]
    places = {kind: np.array(re.findall(r"M(-?\d+) (-?\d+)h0", d), int) for d, kind in paths}
    (left, right), [high] = places["line0"], places["line1"]
    # As in the plane, three to the right and four up, whatever the sides of the paper.
    assert (right - left)[0] / (left - high)[1] == pytest.approx(3 / 4, abs=0.01)
    assert ((np.concatenate([*places.values()]) >= 0) & (right <= [1000, 625])).all()
    assert "4 users; those of 5, 9 in a color" in chart


def test_a_heat_map_has_shares_of_its_rows():
    counts = np.array([[6, 2], [0, 0]])
    table = heat_map("Moves", "from / to", ["a", "b"], ["x", "y"], counts)
    assert PageTables(table)["Moves"] == [
        ["from / to", "x", "y"],
        ["a", "75.0%", "25.0%"],
        ["b", "", ""],
    ]
    assert re.findall(r"var\(--c0\) (\d+)%", table) == ["34", "11", "0", "0"]


def test_points_in_one_place_are_in_the_middle():
    chart = scatter_chart("Map", np.ones((3, 2)), np.zeros(3, int), {0: "all"}, Html(""))
    assert chart.count("M500 312h0") == 3


def test_whole_numbers_have_no_ticks_between_them():
    assert Axis.over(np.array([1, 2])).ticks() == [1.0, 2.0]
    assert len(Axis.over([1.0, 2.0]).ticks()) > 2


def luminance(color):
    """WCAG 2.2, relative luminance."""
    channels = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colors_can_be_seen(scheme):
    block = STYLE.split(":root {")[scheme + 1].split("}")[0]
    colors = dict(re.findall(r"--([\w]+): (#\w{6})", block))
    for behind in ("paper", "card"):
        for text in ("ink", "muted", "fine", "c0"):  # Links are in the first color.
            assert contrast(colors[text], colors[behind]) >= 4.5, (text, behind)
        for number in range(NUM_COLORS):
            assert contrast(colors[f"c{number}"], colors[behind]) >= 3, (number, behind)
