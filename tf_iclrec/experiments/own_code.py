"""The source of one's own code: what trainings and measurements are known by, beside settings."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any

from tf_iclrec.settings import Part

_LIBRARY = __name__.partition(".")[0]


def sources_of(part: Part) -> dict[str, str]:
    """The text of a class or function that is no part of the library, and of all of its module,
    and of those beside it, that it names: bases among them, and numbers, texts and lists of them
    by what they are.

    Example: what is the library's own is known by its version.
    >>> from tf_iclrec import leave_one_out
    >>> sources_of(leave_one_out)
    {}
    """
    found: dict[str, str] = {}
    if isinstance(part, functools.partial):
        given = {name: repr(one) for name, one in part.keywords.items() if _is_plain(one)}
        return given | sources_of(part.func)
    if _top(part.__module__) != _LIBRARY:
        _add(part, part.__module__, found)
    return found


def _add(part: Part, home: str, found: dict[str, str]) -> None:
    module = part.__module__
    name = part.__qualname__ if module == home else f"{module}.{part.__qualname__}"
    if name in found:
        return
    found[name] = text = inspect.getsource(part)
    beside = vars(sys.modules[module])
    # What runs a script's trainings calls it otherwise than the script itself.
    called = module.replace("__mp_main__", "__main__")
    for node in ast.walk(ast.parse(textwrap.dedent(text))):
        one = _named(node, beside, home)
        if _is_plain(one):
            found[f"{called}.{ast.unparse(node)}"] = repr(one)
        is_code = inspect.isfunction(one) or inspect.isclass(one)
        if is_code and _is_own(one.__module__, home):
            _add(one, home, found)


def _named(node: ast.AST, beside: dict[str, Any], home: str) -> Any:
    """What a node names in a module, or in another own one: ``SHARE``, ``helpers.SHARE``."""
    if isinstance(node, ast.Name):
        return beside.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        other = beside.get(node.value.id)
        if inspect.ismodule(other) and _is_own(other.__name__, home):
            return vars(other).get(node.attr)
    return None


def _is_plain(one: Any) -> bool:
    if isinstance(one, dict):
        return all(map(_is_plain, [*one.keys(), *one.values()]))
    if isinstance(one, list | tuple):
        return all(map(_is_plain, one))
    return isinstance(one, bool | int | float | str)


def _is_own(module: str, home: str) -> bool:
    """Whether a module is of the package of another one, or lies beside its file."""
    if _top(module) in (_top(home), _LIBRARY):
        return _top(module) == _top(home)
    file, beside = (getattr(sys.modules.get(_top(name)), "__file__", "") for name in (module, home))
    if not (file and beside):
        return False
    path, folder = Path(file).resolve(), Path(beside).resolve().parent
    return path.is_relative_to(folder) and "site-packages" not in path.relative_to(folder).parts


def _top(module: str) -> str:
    return module.partition(".")[0]
