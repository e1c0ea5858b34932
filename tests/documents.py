"""Blocks of code in Markdown, run as a reader would: one after the other, in one folder.

A block that can't be run here stands below a comment that says why::

    <!-- not run: needs Docker -->
"""

import contextlib
import dataclasses
import io
import re
import runpy
import shlex
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from tf_iclrec import CONTRASTS, ENCODERS, NEXT_ITEM_LOSSES, SYSTEMS, make_config
from tf_iclrec.commands import run_command

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>.*?) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    flags=re.DOTALL | re.MULTILINE,
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: What stands behind its fence.
        code: What is in it.
        why_not: Why it is not run; empty if it is.
    """

    language: str
    code: str
    why_not: str = ""


def blocks_of(text: str) -> list[Block]:
    """All blocks of code of a page."""
    return [
        Block(found["language"], found["code"], found["why"] or "")
        for found in _BLOCK.finditer(text)
    ]


def command_lines(code: str) -> list[list[str]]:
    """The commands of a shell block, each as the name of its module and its arguments."""
    lines = code.replace("\\\n", " ").splitlines()
    return [_command(words) for line in lines if (words := shlex.split(line, comments=True))]


def _command(words: list[str]) -> list[str]:
    if words[:2] == ["python", "-m"] and words[2].startswith("tf_iclrec."):
        return [words[2].removeprefix("tf_iclrec."), *words[3:]]
    if words[0] == "tf-iclrec":
        return words[1:]
    raise ValueError(f"Don't know how to run {shlex.join(words)!r}; say why it is not run.")


def main_of(command: str) -> Callable[[list[str]], None]:
    """The function behind a command. Its module is not imported, which would put the module
    `recommend` in the place of the function of that name."""
    with warnings.catch_warnings():
        # Other tests have imported some of the modules.
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        return runpy.run_module(f"tf_iclrec.{command}")["main"]


def help_of(command: str) -> str:
    """What a command prints with ``--help``."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main_of(command)(["--help"])
    return output.getvalue()


def run_line(command: str, *arguments: str) -> str:
    """Run a command in this process.

    Returns:
        What it printed.
    """
    main = main_of(command)
    output, errors, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            run_command(lambda: main(list(arguments)), "Interrupted.")
        except SystemExit as stopped:
            code = stopped.code or 0
    assert code == 0, f"{command} {shlex.join(arguments)}: {errors.getvalue()}"
    return output.getvalue()


@contextlib.contextmanager
def small_models(**further: int) -> Iterator[None]:
    """Models that are small unless a page says otherwise: as published, each line of a page that
    trains would take a minute. Those that read the ``further`` settings have these as well."""
    small = {"hidden_dim": 16, "epochs": 1}
    with mock.patch.dict(SYSTEMS):
        for name, system in SYSTEMS.items():
            read = make_config(name).options()
            given = small | {option: further[option] for option in further if option in read}
            SYSTEMS[name] = dataclasses.replace(system, settings={**system.settings, **given})
        yield


def run_page(text: str) -> str:
    """Run all blocks of a page in the current folder, its Python in one namespace.

    Returns:
        What they printed.
    """
    output, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.ExitStack() as stack:
        # What a page enters is of that page.
        for registry in (CONTRASTS, ENCODERS, NEXT_ITEM_LOSSES):
            stack.enter_context(mock.patch.dict(registry))
        for block in blocks_of(text):
            if block.why_not:
                continue
            if block.language == "sh":
                for line in command_lines(block.code):
                    output.write(run_line(*line))
            elif block.language == "python":
                with contextlib.redirect_stdout(output):
                    exec(compile(block.code, "<page>", "exec"), names)
    return output.getvalue()
