"""With which settings models were trained."""

from collections.abc import Sequence
from typing import Any

from tf_iclrec.config import make_config
from tf_iclrec.options import flag, places
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

_UNREAD = "(not read)"


def settings_section(reported: ReportedRun) -> Section:
    """The settings that are not the model's own first, and all of them folded."""
    config = reported.run.config
    defaults, values = make_config(config.model).options(), config.options()
    changed = [
        (flag(option), _written(value), _written(defaults.get(option)), _help(option))
        for option, value in values.items()
        if option not in defaults or _written(value) != _written(defaults[option])
    ]
    caption = f"Settings that are not the defaults of {config.model}"
    every = [(flag(option), _written(value), _help(option)) for option, value in values.items()]
    return section(
        "Settings",
        table(caption, ("option", "value", "default", "what it is"), changed)
        if changed
        else element("p", f"All settings are the defaults of {config.model}."),
        element(
            "details",
            element("summary", f"All {len(every)} settings"),
            table("All settings", ("option", "value", "what it is"), every),
        ),
        wide=True,
    )


def different_settings_section(runs: Sequence[ReportedRun]) -> Section:
    """What sets runs apart."""
    values = [{"model": one.run.config.model, **one.run.config.options()} for one in runs]
    options = dict.fromkeys(option for one in values for option in one)
    rows = [
        (option if option == "model" else flag(option), *cells)
        for option in options
        if len(set(cells := [_written(one.get(option)) for one in values])) > 1
    ]
    header = ("option", *(one.name for one in runs))
    return section(
        "Settings",
        table("Settings that differ", header, rows)
        if rows
        else element("p", "The runs have the same settings."),
        wide=True,
    )


def _written(value: Any) -> str:
    """A setting as text; a setting that is not read has none."""
    if value is None:
        return _UNREAD
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _help(option: str) -> str | Html:
    section, name = places()[option][0]
    for (known, parameter), declared in section.all_settings().items():
        if (known, parameter) == (option, name):
            return declared.setting.help
    return section.help
