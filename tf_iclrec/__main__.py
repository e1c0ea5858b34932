"""All commands under one name: ``tf-iclrec train ...`` or ``python -m tf_iclrec train ...``."""

import runpy
import sys

from tf_iclrec.commands import run_command
from tf_iclrec.errors import UserError, nearest

COMMANDS = {
    "prepare": "read a log once, of any size, with a report about it",
    "train": "train, evaluate and export a model",
    "evaluate": "repeat the figures of a run, by groups of users",
    "recommend": "recommend items to many users",
    "intents": "describe the intents of a run: who has them, what is typical of them",
    "vectors": "measure and map how the vectors of users lie, by category or provider",
    "report": "make the page of a run again, or of several side by side",
    "explore": "try a run in the browser: histories, recommendations, intents",
    "export": "write the next version of a model for TensorFlow Serving",
    "convert": "turn a checkpoint of the ICLRec authors' program into a run",
}


def main() -> None:
    """Run the command that is named first, with the arguments after it."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in COMMANDS:
        sys.argv = [name, *arguments]
        # As with python -m: each command says itself what an interruption leaves.
        runpy.run_module(f"tf_iclrec.{name}", run_name="__main__", alter_sys=True)
    else:
        run_command(lambda: _help(name), "Nothing was written.")


def _help(name: str) -> None:
    if name not in ("-h", "--help"):
        raise UserError(f"Unknown command {name!r}: {nearest(name, COMMANDS)}")
    width = max(map(len, COMMANDS))
    print("usage: tf-iclrec COMMAND [options]\n\ncommands:")
    for command, line in COMMANDS.items():
        print(f"  {command:<{width}}  {line}")
    print("\ntf-iclrec COMMAND --help says more.")


if __name__ == "__main__":
    main()
