"""Imports point one way: from the commands down to the data, never back."""

import ast
from pathlib import Path

import pytest

from tf_iclrec.__main__ import COMMANDS as CONSOLE

PACKAGE = Path(__file__).parent.parent / "tf_iclrec"

# Each part may import the parts before it (and itself); commands may import everything.
ORDER = ["errors", "files", "checksums", "startup", "faiss_library", "settings", "run_directory"]
ORDER += ["data", "layers", "encoders", "objectives", "evaluation"]
ORDER += ["models", "serving"]
ORDER += ["training", "systems", "options", "config", "runs", "analysis", "reports"]
ORDER += ["warm_start", "fit", "rolling"]
ORDER += ["recommendation", "explorer", "commands", "experiments"]
COMMANDS = {*CONSOLE, "__init__", "__main__"}


def imported_parts(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    ]
    return {name.split(".")[1] for name in names if name and name.startswith("tf_iclrec.")}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_parts(path):
    part = part_of(path)
    if part in COMMANDS:
        return
    allowed = set(ORDER[: ORDER.index(part) + 1])
    assert imported_parts(path) <= allowed


@pytest.mark.parametrize("part", ["data", "layers", "encoders", "objectives", "evaluation"])
def test_the_foundations_know_nothing_of_models(part):
    for path in (PACKAGE / part).rglob("*.py"):
        assert not imported_parts(path) & {"models", "training", "serving", "systems", "runs"}


def test_every_part_has_its_place():
    assert {part_of(path) for path in MODULES} == {*ORDER, *COMMANDS}


def test_layers_and_encoders_take_no_config():
    for part in ("layers", "encoders", "objectives"):
        for path in (PACKAGE / part).rglob("*.py"):
            assert "config" not in imported_parts(path)


def test_faiss_is_imported_in_one_file():
    users = {
        str(path.relative_to(PACKAGE)) for path in MODULES if "import faiss" in path.read_text()
    }
    assert users == {"faiss_library.py"}
