"""Pages of the reference that are made from the program itself, so that they can't go stale.

``{commands}`` shows what each command prints with ``--help``, ``{settings}`` every setting by the
part that reads it, ``{models}`` all models and ``{model-settings}`` what each of them sets.
"""

import contextlib
import io
import os
import runpy
from collections.abc import Callable, Iterable
from unittest import mock

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tf_iclrec import SYSTEMS
from tf_iclrec.__main__ import COMMANDS
from tf_iclrec.options import all_sections, flag
from tf_iclrec.settings import Declared
from tf_iclrec.systems.system import Section

WIDTH = 92


def commands_page() -> str:
    """What each command prints with ``--help``, in Markdown."""
    return "\n\n".join(
        f"## {name}\n\nTo {what}.\n\n```text\n{help_of(name)}\n```"
        for name, what in COMMANDS.items()
    )


def help_of(command: str) -> str:
    """What a command prints with ``--help``."""
    # Not imported, which would put the module `recommend` in the place of the function.
    main = runpy.run_module(f"tf_iclrec.{command}")["main"]
    output = io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS=str(WIDTH)),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        main(["--help"])
    return output.getvalue().strip()


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def settings_page() -> str:
    """Every setting of every section, in Markdown."""
    by_title: dict[str, list[Section]] = {}
    for section in all_sections():
        by_title.setdefault(section.title, []).append(section)
    return "\n\n".join(
        part
        for title, sections in by_title.items()
        for part in (f"## {title}", *(_settings_of(section) for section in sections))
    )


def _settings_of(section: Section) -> str:
    lines = f"In `config.json`: `{section.key}`."
    if section.alternatives:
        names = ", ".join(f"`{name}`" for name in sorted(section.alternatives))
        lines += (
            f" `{flag(section.option)}` chooses {section.help}: {names}; `{section.default}` "
            "unless a model sets another."
        )
    if section.switch:
        option = section.settings()[section.switch].option(section.prefix)
        lines += f" The others are read while `{flag(option)}` is above 0."
    rows = []
    for (option, name), declared in section.all_settings().items():
        owners = [
            one
            for one in section.alternatives
            if name in (found := section.settings(one))
            and found[name].option(section.prefix) == option
        ]
        what = declared.setting.help
        if len(owners) < len(section.alternatives):
            what += f" (of {', '.join(owners)})"
        rows.append([f"`{flag(option)}`", _values(declared), _shown(declared.default), what])
    head = ["option", "values", "default", "what it is"]
    wide = ":::{table}\n:widths: 28 18 14 40\n\n" + table(head, rows) + "\n:::"
    return f"{lines}\n\n{wide}" if rows else lines


def _values(declared: Declared) -> str:
    if declared.choices:
        return ", ".join(f"`{choice}`" for choice in declared.choices)
    words = {bool: "yes or no", int: "whole number", float: "number", str: "text"}
    kind = words[declared.part_kind] + (", one or several" if declared.is_tuple else "")
    return " ".join(filter(None, (kind, declared.setting.rule())))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else ""


def models_table() -> str:
    """All models, in Markdown."""
    rows = [
        [f"`{one.name}`", one.summary, one.paper, ", ".join(one.family.reads(one))]
        for one in SYSTEMS.values()
    ]
    return table(["`--model`", "what it is", "paper", "reads"], rows)


def model_settings_table() -> str:
    """What each model sets otherwise than the parts do by themselves, in Markdown."""
    rows = [
        [f"`{one.name}`", " ".join(f"`{_typed(*pair)}`" for pair in one.settings.items())]
        for one in SYSTEMS.values()
        if one.settings
    ]
    return table(["`--model`", "settings"], rows)


def _typed(option: str, value: object) -> str:
    """A setting as it is typed."""
    if isinstance(value, bool):
        return flag(option if value else f"no_{option}")
    return f"{flag(option)} {' '.join(map(str, value)) if isinstance(value, tuple) else value}"


def _directive(make: Callable[[], str]) -> type[SphinxDirective]:
    """A directive in whose place stands what a function makes, Markdown."""

    class Made(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(make(), allow_section_headings=True)

    return Made


def setup(app):
    for name, make in {
        "commands": commands_page,
        "settings": settings_page,
        "models": models_table,
        "model-settings": model_settings_table,
    }.items():
        app.add_directive(name, _directive(make))
    return {"parallel_read_safe": True}
