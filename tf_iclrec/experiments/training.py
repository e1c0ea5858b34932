"""A training of an experiment, in a process of its own."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection

import numpy as np

from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import NonFiniteLossError, UserError
from tf_iclrec.evaluation.held_out import held_out_ranks, users_of_ranks
from tf_iclrec.evaluation.metrics import metrics_of_ranks
from tf_iclrec.experiments.store import RANKS, TRIAL, Store
from tf_iclrec.experiments.trial import Trial
from tf_iclrec.files import replace_file, write_json
from tf_iclrec.fit import train
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.runs import Run, load_run, read_config


def train_apart(trial: Trial, store: Store, channel: Connection) -> None:
    """All that a process does for a training. Why it failed goes to the channel; it ends when its
    parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with store.log(trial).open("a") as log:
        # Another command may be at it, in the same folder: it is waited for.
        fcntl.flock(log, fcntl.LOCK_EX)
        try:
            finish(trial, store)
        except Exception as error:
            traceback.print_exc()
            channel.send(_why(error))
            raise SystemExit(1) from error


def finish(trial: Trial, store: Store) -> None:
    """Train what is not trained, go on with what is half done, and measure what is not measured."""
    if not store.lacks(trial):
        return
    directory = store.run(trial)
    run = load_run(directory.path) if store.is_trained(trial) else _trained(trial, directory)
    for one in trial.measurements:
        if not (directory.path / one.file).is_file():
            write_json(directory.path / one.file, one(run))


def _trained(trial: Trial, directory: RunDirectory) -> Run:
    """A run without what is for serving and reading; `trial.json` is written last."""
    start = time.perf_counter()
    with directory.written(resume=True, overwrite=False) as directory:
        resume = directory.config.is_file()
        # They are there if only the last line below was not reached.
        directory.metrics.unlink(missing_ok=True)
        # With the paths of the data of then.
        config = read_config(directory) if resume else trial.config
        trained = train(config, directory, resume)
        seconds = time.perf_counter() - start
        if directory.history.is_file():
            # Of all epochs, those before an interruption too.
            with directory.history.open() as history:
                seconds = sum(float(epoch["seconds"]) for epoch in csv.DictReader(history))
        model, split, config = trained.model, trained.split, trained.config
        ranks = {
            part: held_out_ranks(model, split, part, **config.evaluation)
            for part in ("valid", "test")
        }
        metrics = {part: metrics_of_ranks(found) for part, found in ranks.items()}
        with replace_file(directory.model) as path:
            model.save(path)
        with replace_file(directory.path / RANKS) as path:
            users = users_of_ranks(split, "test", ranks["test"])
            np.savez_compressed(path, **ranks, users=users, asked=_asked(split, len(users)))
        write_json(directory.metrics, metrics)
        directory.seal()
        write_json(directory.path / TRIAL, trial.identity | {"seconds": seconds})
    return Run(model, split, config, metrics)


def _asked(split: Split, number: int) -> str:
    """A digest of the test items that are ranked, and of whose they are."""
    test = split.test
    drawn = sampled_rows(len(test.users), number)
    users = split.interactions.users[test.users[drawn]]
    items = split.interactions.items.decode(test.target_ids[drawn])
    return hashlib.sha256(json.dumps([users.tolist(), items.tolist()]).encode()).hexdigest()


def _why(error: Exception) -> str:
    """In a line."""
    kind = "" if isinstance(error, UserError | NonFiniteLossError) else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
