"""Processes that train one model together, on this machine."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]


def addresses(count):
    """Free ports of this machine."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]


def environments(count):
    """The environment of each process."""
    workers = {"worker": addresses(count)}
    here = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if count == 1:
        return [os.environ | here]
    return [
        os.environ
        | here
        | {"TF_CONFIG": json.dumps({"cluster": workers, "task": {"type": "worker", "index": one}})}
        for one in range(count)
    ]


def start(command, count=2):
    """Start a command, as a list of words for Python, in each process."""
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for environment in environments(count)
    ]


def finish(processes, timeout=600):
    """Exit code, standard output and standard error of each."""
    try:
        outputs = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [
        (process.returncode, *output) for process, output in zip(processes, outputs, strict=True)
    ]
