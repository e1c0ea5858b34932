"""Quiet commands: without TensorFlow's start-up notices around what they have to say."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def load_tensorflow() -> None:
    """Import TensorFlow, silently if it is for a command.

    TensorFlow writes notices to the process's standard error before its log level takes
    effect. A command's single line about what went wrong must not drown in them; a program
    that imports the library sees them as ever.
    """
    # "-m" is what Python puts there while it finds the module of `python -m`.
    script = Path(*sys.argv[:1])
    if script.stem not in ("-m", "tf-iclrec") and script.parent.name != "pipelines":
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silent_standard_error():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def _silent_standard_error() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
