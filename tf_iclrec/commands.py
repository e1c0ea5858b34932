"""What all commands share: options from the settings, and errors as one line."""

import argparse
import atexit
import dataclasses
import os
import sys
import types
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from tf_iclrec.config import Config, field_types
from tf_iclrec.errors import NonFiniteLossError, UserError, nearest


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


def add_settings(parser: argparse.ArgumentParser, names: Collection[str] | None = None) -> None:
    """Add an option per field of `Config`, or per field named; options not given are absent from
    the result."""
    kinds = field_types()
    for field in dataclasses.fields(Config):
        if names is not None and field.name not in names:
            continue
        kind = kinds[field.name]
        options: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
        default = field.default
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(kind, types.GenericAlias):
            options |= {"type": int, "nargs": "+", "metavar": "K"}
            default = " ".join(map(str, default))
        else:
            options |= {"type": kind, "metavar": kind.__name__.upper()}
        help_text = f"{field.metadata['help']} (default: {default})"
        parser.add_argument("--" + field.name.replace("_", "-"), help=help_text, **options)


def given_settings(values: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as options."""
    names = field_types()
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(values).items()
        if name in names
    }


def run_command(main: Callable[[], None], on_interrupt: str) -> None:
    """Run a command and exit: 0, 2 for bad input, 1 for a broken training, 130 for Ctrl-C.

    Args:
        main: The command.
        on_interrupt: What to say after Ctrl-C: what is left, and how to go on.
    """
    try:
        main()
    except UserError as error:
        _say(f"error: {error}")
        sys.exit(2)
    except NonFiniteLossError as error:
        _say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _say(f"interrupted. {on_interrupt}")
        # Without taking Python apart while TensorFlow's threads are at work, which can crash, but
        # with what modules do at an exit, such as removing temporary files.
        atexit._run_exitfuncs()
        os._exit(130)


def _say(message: str) -> None:
    sys.stdout.flush()
    print(" ".join(message.split()), file=sys.stderr, flush=True)
