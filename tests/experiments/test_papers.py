"""The experiments in pipelines/: their settings can be used, and their figures have a place."""

import importlib
import sys
from pathlib import Path

import pytest

from tf_iclrec.errors import UserError
from tf_iclrec.experiments import run_experiment

PIPELINES = Path(__file__).parents[2] / "pipelines"
PAPERS = sorted(
    path.stem for path in PIPELINES.glob("*.py") if "run_experiment(EXPERIMENT)" in path.read_text()
)
FILES = ("Beauty", "Sports_and_Outdoors", "Toys_and_Games", "Yelp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All data sets, though nothing is in them."""
    folder = tmp_path_factory.mktemp("data")
    for name in FILES:
        (folder / f"{name}.txt").write_text("1 1 2 3\n")
        (folder / f"{name}.tsv").write_text("item_id\tcategories\n")
    for name in ("tmall", "twitch", "wechat"):
        (folder / name).mkdir()
    return folder


@pytest.fixture
def experiment(request, monkeypatch):
    monkeypatch.syspath_prepend(PIPELINES)
    before = {*sys.modules}
    yield importlib.import_module(request.param).EXPERIMENT
    for name in {"iclrec_paper", "ipsrec_paper", request.param} - before:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("experiment", PAPERS, indirect=True)
def test_every_training_has_settings_and_every_figure_a_place(experiment, folder):
    trials = experiment.trials(folder)
    places = {(one.dataset, one.row) for one in trials}
    assert len(places) == len(experiment.datasets) * len(experiment.rows)
    # Rows that are trained alike would be one row twice.
    assert len({one.name for one in trials}) == len(trials)
    labels = {row.label for row in experiment.rows} or {"data"}
    assert {place[:2] for place in experiment.paper} <= {
        (one.name, label) for one in experiment.datasets for label in labels
    }


@pytest.mark.parametrize("experiment", ["iclrec_table_1", "iclrec_figure_4"], indirect=True)
def test_figures_share_their_trainings_with_table_1(experiment, folder):
    names = {one.name for one in experiment.only(["Sports"]).trials(folder)}
    table = importlib.import_module("iclrec_table_1").EXPERIMENT
    assert names <= {one.name for one in table.only(["Sports"]).trials(folder)}
    sys.modules.pop("iclrec_table_1")


@pytest.mark.parametrize("experiment", ["ipsrec_table_2"], indirect=True)
def test_missing_data_sets_are_said_with_where_they_come_from(experiment, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_experiment(experiment, ["--data", str(tmp_path), "--only", "Tmall", "--output", "runs"])
    assert stopped.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"Tmall needs tmall, not found in {tmp_path}. It is a folder with the files of" in line
    assert [one.name for one in experiment.only().datasets] == [
        "completejourney",
        "Beauty",
        "Sports",
        "Toys",
    ]


@pytest.mark.parametrize(
    ("experiment", "needed"),
    [("ipsrec_table_1", True), ("iclrec_figure_7", True), ("iclrec_figure_4", False)],
    indirect=["experiment"],
)
def test_tables_of_items_are_asked_for_where_they_are_read(experiment, needed, tmp_path):
    (tmp_path / "Sports_and_Outdoors.txt").write_text("1 1 2 3\n")
    part = experiment.only(["Sports"])
    if needed:
        with pytest.raises(UserError, match=r"Sports needs Sports_and_Outdoors\.tsv, not found"):
            part.trials(tmp_path)
    else:
        assert part.trials(tmp_path)
