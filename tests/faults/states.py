"""What is there, in a form that can be compared: equal if and only if it says the same.

Each function raises an `AssertionError` for something half done.
"""

import csv
import hashlib
import io
import zipfile
from pathlib import Path

import h5py

from tf_iclrec.checksums import DamagedError, digest, read_sealed
from tf_iclrec.data.prepared import read_prepared
from tf_iclrec.run_directory import RunDirectory

UNFINISHED = {"unfinished": True}


def of_file(path: Path) -> dict:
    """The content of a file."""
    return {path.name: digest(path)} if path.exists() else {}


def of_prepared(path: Path) -> dict:
    """All files of prepared data but its page."""
    if not path.exists():
        return {}
    read_prepared(path)
    found = {one.name: digest(one) for one in path.iterdir()}
    assert found.pop("report.html")
    return found


def of_run(path: Path) -> dict:
    """Figures and weights of a finished run; `UNFINISHED` for one that says that it is not."""
    if not path.exists():
        return {}
    run = RunDirectory(path)
    run.check_readable()
    if not run.metrics.is_file():
        if run.data.is_dir():
            read_prepared(run.data)
        return UNFINISHED
    try:
        sealed = read_sealed(run.checksums)
    except DamagedError:
        return UNFINISHED
    return sealed | {
        "metrics": run.metrics.read_text(),
        "config": run.config.read_text(),
        "history": _history(run.history),
        "weights": weights_of(run.model),
        "served": weights_of(run.served_model),
    }


def of_rolling(path: Path) -> dict:
    """A folder with a run for each date."""
    if not path.exists():
        return {}
    # Not what a killed process was writing, which the next one removes.
    dates = [one for one in sorted(path.glob("[!.]*")) if one.is_dir()]
    of_dates = {one.name: of_run(one) for one in dates}
    metrics = path / "metrics.json"
    if not metrics.is_file():
        return UNFINISHED
    return of_dates | {"metrics": metrics.read_text()}


def of_experiment(path: Path) -> dict:
    """Figures and weights of an experiment; `UNFINISHED` before its page is there."""
    if not path.exists():
        return {}
    if not {"tiny.csv", "tiny.html", "tiny.md"} <= {one.name for one in path.iterdir()}:
        return UNFINISHED
    runs = {one.parent.name: weights_of(one) for one in path.glob("trials/*/model.keras")}
    return {"figures": (path / "tiny.csv").read_text(), **runs}


def of_versions(path: Path) -> dict:
    """The newest version of a SavedModel; each must be whole."""
    found = {}
    for version in sorted(path.glob("[0-9]*"), key=lambda one: int(one.name)):
        names = {str(one.relative_to(version)) for one in version.rglob("*") if one.is_file()}
        assert "assets.extra/tf_serving_warmup_requests" in names, names
        assert "saved_model.pb" in names, names
        found = {"variables": digest(version / "variables" / "variables.data-00000-of-00001")}
        found["names"] = sorted(names)
    return found


def weights_of(path: Path) -> dict[str, str]:
    """Digests of all arrays in a ``.keras`` file."""
    found = {}

    def add(name, entry):
        if isinstance(entry, h5py.Dataset):
            found[name] = hashlib.sha256(entry[()].tobytes()).hexdigest()

    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as weights:
        weights.visititems(add)
    assert found
    return found


def _history(path: Path) -> list[dict[str, str]]:
    """Without the time that epochs and E-steps took."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        return [{n: v for n, v in row.items() if not n.endswith("seconds")} for row in rows]
