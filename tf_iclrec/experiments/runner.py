"""Trainings beside each other, each in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import connection
from pathlib import Path

from tf_iclrec.experiments.progress import Progress
from tf_iclrec.experiments.store import Store
from tf_iclrec.experiments.training import train_apart
from tf_iclrec.experiments.trial import Trial

_REFRESH = 1.0  # Seconds between two states of the progress.


def run_trials(trials: Sequence[Trial], store: Store, jobs: int = 1) -> dict[str, str]:
    """Train what is not in the store; prints how far it is.

    A process that is killed, for want of memory say, takes no other with it. Every process ends
    with this one, and what it had begun goes on after its last complete epoch with the next call.

    Args:
        trials: What to train; those that are there are kept.
        store: Where trainings are.
        jobs: How many at a time; each has its part of the processor's cores.

    Returns:
        Why trainings failed, by the names of the trials.
    """
    trials = list({trial.name: trial for trial in trials}.values())
    waiting = [trial for trial in trials if store.lacks(trial)]
    progress, failed = Progress(trials, store), {}
    running: dict[connection.Connection, tuple[Trial, multiprocessing.Process]] = {}
    try:
        with _shared_cores(jobs):
            while waiting or running:
                while waiting and len(running) < jobs:
                    trial = waiting.pop(0)
                    channel, process = _start(trial, store)
                    running[channel] = trial, process
                for channel in connection.wait(list(running), _REFRESH):
                    trial, process = running.pop(channel)
                    why = _end(channel, process, store.log(trial))
                    if why:
                        failed[trial.name] = why
                    progress.ended(trial, why)
                progress.show([trial for trial, _ in running.values()])
    finally:
        for _, process in running.values():
            process.kill()
            process.join()
    return failed


def _start(trial: Trial, store: Store) -> tuple[connection.Connection, multiprocessing.Process]:
    # Not forked: TensorFlow's threads would not come along.
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=train_apart, args=(trial, store, sender), daemon=True)
    with _output_to(store.log(trial)):
        process.start()
    sender.close()
    return receiver, process


def _end(channel: connection.Connection, process: multiprocessing.Process, log: Path) -> str:
    """Why a process failed that has something to say or is gone; empty if it did not."""
    with contextlib.suppress(EOFError):
        why = channel.recv()
        process.join()
        return why
    process.join()
    if process.exitcode and process.exitcode < 0:
        return f"its process was killed by signal {-process.exitcode}, for want of memory perhaps"
    return f"its process ended with code {process.exitcode}: {log}" if process.exitcode else ""


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """What processes that are started in here say goes to a file, from their first word."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with path.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            for number, one in enumerate(kept, start=1):
                os.dup2(one, number)
                os.close(one)


@contextlib.contextmanager
def _shared_cores(jobs: int) -> Iterator[None]:
    """The environment of processes that share the machine's cores, and its GPU's memory."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    names = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"
    wanted = dict.fromkeys(names, threads) | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    new = {name: value for name, value in wanted.items() if name not in os.environ}
    if jobs == 1:
        new = {}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]
