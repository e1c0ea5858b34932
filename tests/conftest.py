import gc
import importlib
from pathlib import Path

import pytest

from .afterwards import leave_out


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real data, which is no part of the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {folder}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_pages_of_runs():
    """Pages take seconds, and have tests of their own: `tests/browser/test_run_report.py`."""
    with pytest.MonkeyPatch.context() as patch:
        # The package's attribute of this name is the function.
        module = importlib.import_module("tf_iclrec.fit")
        patch.setattr(module, "write_run_report", lambda *arguments: None)
        yield


@pytest.fixture
def not_exported(monkeypatch):
    """What a test trains is not exported, which takes as long as a short training: for tests that
    look at no SavedModel. Runs of fixtures of a wider scope are."""
    leave_out(monkeypatch, "export_saved_model")


@pytest.fixture
def not_compared(monkeypatch):
    """As `not_exported`: popularity and the like are not evaluated beside what a test trains."""
    leave_out(monkeypatch, "yardsticks")


def pytest_collection_finish() -> None:
    """Graphs are millions of objects that stay: looking through all of them at Python's pace
    would take a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
