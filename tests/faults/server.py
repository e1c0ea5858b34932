"""Runs commands, each in a process of its own, and lets them run into faults.

TensorFlow takes seconds to start. This program loads it once, computes nothing, and forks for each
line of its standard input: a JSON object with the arguments of `run`.
"""

import contextlib
import fcntl
import functools
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings

import tensorflow as tf

from tf_iclrec.commands import run_command
from tf_iclrec.faiss_library import import_faiss

from .steps import watched

_MODULES = ["train", "prepare", "convert", "export", "recommend", "fit", "rolling"]
_LIBRARIES = ["duckdb", "pandas", "pyarrow.parquet", "sqlframe.duckdb", "h5py"]
CRASHED = 70


def run(function, arguments, kill_after=None, kill_at=None, limits=None, fast=True, copies=None):
    """Call a function of one argument as a command, in a new process.

    Args:
        function: ``"module:name"``.
        arguments: Its argument.
        kill_after: Seconds after which the process is killed.
        kill_at: Number of the step at which it kills itself; see `steps.watched`.
        limits: Resource limits by name, such as ``{"RLIMIT_FSIZE": 1000}``.
        fast: Without what takes long and is neither trained nor read again: pages, yardsticks, the
            SavedModel that a training exports; TensorFlow's functions are not compiled.
        copies: What to copy at each step, and a folder for the copies.
    """
    output, errors, steps = (_Pipe() for _ in range(3))
    start = time.monotonic()
    process = os.fork()
    if not process:
        os.dup2(output.end, 1)
        os.dup2(errors.end, 2)
        on_step = _Steps(steps.end, kill_at, copies)
        _be_the_command(function, arguments, on_step, limits or {}, fast)
    code = _wait(process, kill_after)
    return {
        "code": code,
        "seconds": time.monotonic() - start,
        "output": output.read(),
        "errors": errors.read(),
        "steps": steps.read().splitlines(),
    }


class _Pipe:
    """Holds what a process writes until it has ended; unlike a file it has no limit of its size."""

    def __init__(self):
        self._start, self.end = os.pipe()
        fcntl.fcntl(self.end, fcntl.F_SETPIPE_SZ, 1 << 20)

    def read(self):
        os.close(self.end)
        with open(self._start, "rb") as file:
            return file.read().decode(errors="replace")


def _wait(process, kill_after):
    deadline = time.monotonic() + kill_after if kill_after is not None else None
    while True:
        ended, status = os.waitpid(process, 0 if deadline is None else os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            os.kill(process, signal.SIGKILL)
            deadline = None
        else:
            time.sleep(min(0.01, max(deadline - time.monotonic(), 0.0005)))


class _Steps:
    """Notes the steps of a process, copies what is there at each, and kills it at one."""

    def __init__(self, notes, kill_at, copies):
        self.notes, self.kill_at, self.copies = notes, kill_at, copies
        self.passed = 0

    def __call__(self, name, _):
        os.write(self.notes, f"{name}\n".encode())
        if self.passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.copies:
            source, target = self.copies
            # By another program: this one's calls are watched.
            subprocess.run(["cp", "-a", source, f"{target}/{self.passed}"], check=True)
        self.passed += 1


def _be_the_command(function, arguments, on_step, limits, fast):
    code = CRASHED
    try:
        warnings.simplefilter("ignore")
        tf.config.run_functions_eagerly(fast)
        # Several of them, for so few users.
        recommend = importlib.import_module("tf_iclrec.recommend")
        recommend.in_chunks = functools.partial(recommend.in_chunks, size=16)
        if fast:
            fit = importlib.import_module("tf_iclrec.fit")
            fit.write_run_report = fit.export_saved_model = lambda *given, **settings: None
            fit.yardsticks = lambda *given, **settings: {}
        module, name = function.split(":")
        called = getattr(importlib.import_module(module), name)
        for limit, most in limits.items():
            resource.setrlimit(getattr(resource, limit), (most, most))
        with watched(on_step):
            run_command(lambda: called(arguments), "Interrupted.")
        code = 0
    except SystemExit as stopped:
        code = stopped.code
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main():
    """Answer requests until there are no more."""
    for name in [*(f"tf_iclrec.{module}" for module in _MODULES), *_LIBRARIES]:
        importlib.import_module(name)
    import_faiss()
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
