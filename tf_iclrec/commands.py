"""What all commands share: options from the settings, and errors as one line."""

import argparse
import atexit
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import tensorflow as tf

from tf_iclrec.config import Config
from tf_iclrec.data.reading import split_names
from tf_iclrec.errors import LostProcessError, NonFiniteLossError, UserError, first_line, nearest
from tf_iclrec.files import storage_fault
from tf_iclrec.options import flag, places, places_in
from tf_iclrec.runs import Run
from tf_iclrec.serving.item_filters import parse_values
from tf_iclrec.settings import AUTO, Declared
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.system import CHOICE, Section
from tf_iclrec.training.replicas import is_connected

_ABSENT = {"default": argparse.SUPPRESS}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `UserError`, naming the nearest option."""

    def __init__(self, **kwargs):
        super().__init__(allow_abbrev=False, **kwargs)

    def parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Parse arguments, ``sys.argv`` by default.

        Raises:
            UserError: If they can't be parsed.
        """
        values, unknown = self.parse_known_args(arguments)
        if unknown:
            options = [name for name in self._option_string_actions if name.startswith("--")]
            name = unknown[0].split("=")[0]
            if not name.startswith("-"):
                raise UserError(f"Unexpected argument {name!r}.")
            raise UserError(f"Unknown option {name}: {nearest(name, options)}")
        return values

    def error(self, message: str) -> NoReturn:
        raise UserError(message[0].upper() + message[1:] + ". See --help.")


def add_settings(parser: argparse.ArgumentParser, sections: Iterable[Section]) -> None:
    """Add every option of some sections; options that are not given are absent from the result."""
    added: set[str] = set()
    for section in sections:
        if section.alternatives and section.option not in added:
            names = ", ".join(sorted(section.alternatives))
            text = f"{section.help}; one of {names} (default: {section.default})"
            parser.add_argument(flag(section.option), **_ABSENT, metavar="NAME", help=text)
            added.add(section.option)
        for declared in section.all_settings().values():
            _add(parser, section, declared, declared.default, added)


def add_settings_read(parser: argparse.ArgumentParser, config: Config) -> None:
    """Add the options that a configuration reads, in groups, each with its value as default: for
    the help."""
    added: set[str] = set()
    for section in SYSTEMS[config.model].family.sections:
        values = config.get(section.key, {})
        if not values:
            continue
        group = parser.add_argument_group(section.title)
        if section.alternatives:
            group.add_argument(
                flag(section.option),
                metavar="NAME",
                help=f"{section.help}; one of {', '.join(sorted(section.alternatives))} "
                f"(default: {values[CHOICE]})",
            )
        for name, declared in section.settings(values.get(CHOICE, "")).items():
            if name in values:
                _add(group, section, declared, values[name], added)


def _add(group, section: Section, declared: Declared, default: Any, added: set[str]) -> None:
    option = declared.option(section.prefix)
    if option in added:
        return
    added.add(option)
    options = dict(_ABSENT)
    if declared.kind is bool:
        options["action"] = argparse.BooleanOptionalAction
    elif declared.is_tuple:
        kind = declared.part_kind.__name__
        options |= {"type": _type_of(declared), "nargs": "+", "metavar": kind.upper()}
        default = default if default == AUTO else " ".join(map(str, default))
    elif declared.choices:
        options |= {"metavar": "|".join(declared.choices)}
    else:
        options |= {"type": declared.kind, "metavar": declared.kind.__name__.upper()}
    shown = f" (default: {default})" if default != "" else ""
    try:
        group.add_argument(flag(option), **options, help=declared.setting.help + shown)
    except argparse.ArgumentError as error:
        raise UserError(
            f"The setting {declared.name!r} of {section.title!r} can't be the option "
            f"{flag(option)}, which the command has: give it another name."
        ) from error


def _type_of(declared: Declared) -> Callable[[str], Any]:
    """Reads one of several values; its name is what an error says."""
    kind = declared.part_kind
    if not declared.setting.auto:
        return kind

    def read(text: str) -> Any:
        return AUTO if text == AUTO else kind(text)

    read.__name__ = f"{kind.__name__} or {AUTO}"
    return read


class _Import(argparse.Action):
    """Imports a module where it is named."""

    def __call__(self, parser, namespace, values, option_string=None):
        # From where the command is typed, as with python -m.
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            if not all(map(str.isidentifier, values.split("."))):
                raise ModuleNotFoundError(name=values)
            importlib.import_module(values)
        except ModuleNotFoundError as error:
            if not f"{values}.".startswith(f"{error.name}."):  # What the module itself imports.
                raise
            raise UserError(
                f"There is no module {values!r} to import, neither here nor in PYTHONPATH. Name it "
                "without .py."
            ) from error


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a module with encoders, losses or contrasts of one's own."""
    parser.add_argument(
        "--import",
        action=_Import,
        metavar="MODULE",
        help="import a Python module first, which enters an encoder or a loss of your own in "
        "tf_iclrec.ENCODERS and the like",
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which items may be recommended; see `filters_of`."""
    for option, what in (("--only", "one"), ("--without", "none")):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="NAME=VALUE,...",
            help=f"only items with {what} of these values, such as category=tea,jam or "
            "provider=acme; can be given for several names; a comma within a value has a backslash "
            "before it",
        )


def filters_of(values: argparse.Namespace) -> dict[str, dict[str, list[str]]]:
    """What was given with the options of `add_filters`, as `tf_iclrec.recommend` takes it."""
    return {"only": parse_values(values.only), "without": parse_values(values.without)}


def add_new_items(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a table of items that came after the training."""
    parser.add_argument(
        "--new-items",
        metavar="TABLE",
        help="table with a row per item, the ids, providers and attributes in columns named as "
        "those of the run: adds those the run does not know, without training again",
    )


def add_item_table(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to call a run's items to people; see `with_item_table`."""
    parser.add_argument(
        "--items", metavar="TABLE", help="table with a row per item, that describes them to people"
    )
    parser.add_argument(
        "--title-column", metavar="NAME", default="", help="its titles, if they can't be guessed"
    )
    parser.add_argument(
        "--item-labels", metavar="NAMES", default="", help="further columns, separated by commas"
    )


def with_item_table(run: Run, values: argparse.Namespace) -> Run:
    """A run whose items are called as the options of `add_item_table` say."""
    labels = split_names(values.item_labels)
    if values.items:
        return run.with_item_labels(values.items, values.title_column, labels)
    for option, value in (("--title-column", values.title_column), ("--item-labels", labels)):
        if value:
            raise UserError(f"{option} is of a table of items: name the table with --items.")
    return run


def free_file(path: str, overwrite: bool) -> Path:
    """A file to write.

    Raises:
        UserError: If it is there and is not to be replaced, or its folder is missing.
    """
    output = Path(path)
    if output.is_dir():
        raise UserError(f"{output} is a folder; the output must be a file.")
    if output.exists() and not overwrite:
        raise UserError(f"{output} exists. Use --overwrite to replace it, or another --output.")
    if not output.parent.is_dir():
        raise UserError(f"No such folder: {output.parent}.")
    return output


def given_settings(
    values: argparse.Namespace, sections: Iterable[Section] | None = None
) -> dict[str, Any]:
    """The settings that were given as options, by option: those of some sections, or of all."""
    known = places() if sections is None else {option for option, _ in places_in(sections)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(values).items()
        if name in known
    }


def run_command(main: Callable[[], None], on_interrupt: str) -> None:
    """Run a command and exit: 0; 2 for bad input or a disk that refuses; 1 for a broken training, a
    process that was lost or too little memory; 130 for Ctrl-C.

    Args:
        main: The command.
        on_interrupt: What to say after Ctrl-C: what is left, and how to go on.
    """
    # A command says in one line what is wrong; what TensorFlow's Python part warns of is not that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` does. Nothing can be said at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        _say(f"interrupted. {on_interrupt}")
        _exit_at_once(130)
    except Exception as error:
        code, message = _explained(error)
        if not code:
            raise
        _say(f"error: {message}")
        if is_connected():
            _exit_at_once(code)
        sys.exit(code)
    if is_connected():
        _exit_at_once(0)


def _exit_at_once(code: int) -> NoReturn:
    """Without taking Python apart while TensorFlow's threads are at work, which can crash, but with
    what modules do at an exit, such as removing temporary files."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


def _explained(error: Exception) -> tuple[int, str]:
    """An exit code and a message; 0 for an error that nobody foresaw."""
    if isinstance(error, UserError):
        return 2, str(error)
    if isinstance(error, NonFiniteLossError | LostProcessError):
        return 1, str(error)
    if reason := storage_fault(error):
        return 2, f"{reason}. What was there is unchanged."
    if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError):
        return 1, f"Out of memory. {first_line(error)}"
    return 0, ""


def _say(message: str) -> None:
    sys.stdout.flush()
    print(" ".join(message.split()), file=sys.stderr, flush=True)
