"""Replicas of a model that train it together: several devices, or processes on several machines.

Each step, every replica takes its share of the rows of one batch; their gradients are added up, so
that all have the same weights after it as a single process would have. All processes do the same
in step with each other, up to the end of the training; the first, the chief, is the one whose
files stay.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tf_iclrec.data.by_row import traced
from tf_iclrec.data.share import Share
from tf_iclrec.errors import LostProcessError, UserError
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.settings import AUTO, Setting
from tf_iclrec.training.cluster import Cluster

Batches = tf.data.Dataset | tf.distribute.DistributedDataset


class Replicas:
    """What trains a model: one device in this process, or several of any number of processes.

    Args:
        strategy: Of TensorFlow. Defaults to the one that is in force: by itself, one device.
        cluster: The processes. Defaults to this one alone.

    Example:
    >>> Replicas().count, Replicas().share
    (1, Share(first=0, local=1, all=1))
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, cluster: Cluster | None = None
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.cluster = cluster or Cluster()

    @classmethod
    def of(cls, model: keras.Model) -> Replicas:
        """Those that a model was made for."""
        strategy = model.distribute_strategy
        many = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        return cls(strategy, Cluster.of_environment() if many else None)

    @property
    def count(self) -> int:
        """How many there are in all processes."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process's files stay."""
        return self.cluster.index == 0

    @property
    def share(self) -> Share:
        """What this process takes of each batch."""
        local = self.count // len(self.cluster)
        return Share(self.cluster.index * local, local, self.count)

    def __str__(self) -> str:
        devices = self.strategy.extended.worker_devices
        kind = tf.DeviceSpec.from_string(devices[0]).device_type
        own = f"{len(devices)} {kind}s" if len(devices) > 1 else kind
        if len(self.cluster) == 1:
            return f"{own} of this machine"
        return f"{len(self.cluster)} processes ({', '.join(self.cluster.addresses)}), {own} each"

    def fitted(
        self, train: tf.data.Dataset, valid: tf.data.Dataset | None = None
    ) -> dict[str, Any]:
        """The arguments of ``fit`` for batches to train on and to validate with.

        Args:
            train: Made with `share`; one pass is one epoch.
            valid: Made with `share`.
        """
        if self.count == 1:
            return {"x": train, "validation_data": valid}
        arguments = {"x": self.batches(train), "steps_per_epoch": self.steps(train)}
        if valid is not None:
            arguments |= {
                "validation_data": self.batches(valid),
                "validation_steps": self.steps(valid),
            }
        return arguments

    def steps(self, shares: tf.data.Dataset) -> int:
        """Batches of one pass, from those of `share`."""
        return int(shares.cardinality()) // self.share.local

    def batches(self, shares: tf.data.Dataset) -> Batches:
        """An endless supply of batches, each with the rows of every replica, from those of `share`.

        Args:
            shares: Made with `share`; its passes follow each other.
        """
        return self.strategy.distribute_datasets_from_function(lambda context: shares.repeat())

    def on_all_rows(
        self, compute: Callable[[dict[str, tf.Tensor]], tf.Tensor], shares: tf.data.Dataset
    ) -> Callable[[], Iterator[np.ndarray]]:
        """A function that computes ``(rows, ...)`` of each batch, by all replicas.

        Args:
            compute: From a batch to something with a row for each of its rows.
            shares: Made with `share`. Others that are not as many for each replica are computed on
                one device.

        Returns:
            What gives at each call what ``compute`` does of the whole batches, in their order. All
            processes have to call it.
        """
        if self.count == 1 or int(shares.cardinality()) % self.share.local:
            computed = traced(compute, shares.element_spec)
            return lambda: (computed(batch).numpy() for batch in shares)
        steps = self.steps(shares)
        batches = iter(self.batches(shares))

        def of_replica(batch: dict[str, tf.Tensor]) -> tf.Tensor:
            gathered = tf.distribute.get_replica_context().all_gather(compute(batch), axis=0)
            rows = tf.shape(gathered)[0]
            # One replica's rows come after the other's, but they had taken turns.
            turns = tf.concat([tf.range(turn, rows, self.count) for turn in range(self.count)], 0)
            return tf.gather(gathered, tf.argsort(turns))

        @tf.function(autograph=False)
        def step(batches) -> tf.Tensor:
            results = self.strategy.run(of_replica, args=(next(batches),))
            return self.strategy.experimental_local_results(results)[0]

        def run() -> Iterator[np.ndarray]:
            for _ in range(steps):
                yield step(batches).numpy()

        return run

    def from_chief(self, array: np.ndarray) -> np.ndarray:
        """The chief's array, in all processes; its shape and dtype, int32 or float32, are known."""
        if len(self.cluster) == 1:
            return array
        return _from_first(self.strategy, tf.constant(array)).numpy()

    def agreed(self, decide: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What the chief decides, in all processes; values as JSON has them."""
        if len(self.cluster) == 1:
            return decide()
        text = json.dumps(decide() if self.is_chief else {}).encode()
        length = self.from_chief(np.array([len(text)], dtype=np.int32))[0]
        letters = np.frombuffer(text.ljust(length)[:length], dtype=np.uint8).astype(np.int32)
        return json.loads(self.from_chief(letters).astype(np.uint8).tobytes())

    def equalize(self, model: keras.Model) -> None:
        """Give all processes the chief's weights and optimizer, to the last bit: other processors
        round otherwise."""
        if len(self.cluster) == 1:
            return
        variables = [
            v for v in (*model.weights, *model.optimizer.variables) if v.dtype == "float32"
        ]
        values = [variable.numpy() for variable in variables]
        sent = self.from_chief(np.concatenate([value.ravel() for value in values]))
        parts = np.split(sent, np.cumsum([value.size for value in values])[:-1])
        for variable, value, part in zip(variables, values, parts, strict=True):
            variable.assign(part.reshape(value.shape))

    def alone(self, model: keras.Model) -> keras.Model:
        """The same model for one process and device, for all that comes after the training."""
        if self.count == 1:
            return model
        with tempfile.TemporaryDirectory() as folder:
            # By all processes: the states of metrics are added up over them when they are read.
            model.save(Path(folder) / "model.keras")
            return keras.saving.load_model(Path(folder) / "model.keras")

    @contextlib.contextmanager
    def output(self, path: Path, resume: bool) -> Iterator[Path]:
        """Where this process writes: the chief to the output itself, the others to a folder that is
        gone afterwards. Those say nothing, either.

        Args:
            path: The output.
            resume: Whether what is there is wanted.

        Raises:
            LostProcessError: In place of TensorFlow's errors, if another process has ended.
        """
        if len(self.cluster) == 1:
            yield path
            return
        try:
            with contextlib.ExitStack() as stack:
                if not self.is_chief:
                    path = _scratch(path, resume, stack)
                yield path
            with contextlib.suppress(tf.errors.OpError):
                # All end together: the chief, when everything is written.
                self.from_chief(np.zeros(1, dtype=np.float32))
        except (
            *(tf.errors.UnavailableError, tf.errors.AbortedError),
            *(tf.errors.CancelledError, tf.errors.DeadlineExceededError),
        ) as error:
            raise LostProcessError(
                f"Process {self.cluster.index} of {len(self.cluster)} has lost another one, and "
                "ends. Start all of them again with --resume: the last complete epoch is kept."
            ) from error


@tf.function(autograph=False, reduce_retracing=True)
def _from_first(strategy: tf.distribute.Strategy, array: tf.Tensor) -> tf.Tensor:
    """The first replica's array, in all processes."""

    def of_replica() -> tf.Tensor:
        replica = tf.distribute.get_replica_context()
        is_first = replica.replica_id_in_sync_group == 0
        return replica.all_reduce("SUM", tf.where(is_first, array, tf.zeros_like(array)))

    return strategy.experimental_local_results(strategy.run(of_replica))[0]


def _scratch(path: Path, resume: bool, stack: contextlib.ExitStack) -> Path:
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    for folder in (path, RunDirectory(path).successor.path) if resume else ():
        if folder.is_dir():
            # Links, in whose place new files are put. But the log is added to, and not wanted.
            shutil.copytree(
                folder.resolve(),
                scratch / folder.name,
                copy_function=os.symlink,
                ignore=shutil.ignore_patterns("train.log"),
            )
    return scratch / path.name


class _Workers(tf.distribute.MultiWorkerMirroredStrategy):
    """Reduces scalars, too: Keras 3.15 asks for the mean of a step's figures along their first
    axis, which they have not (keras issue 20585)."""

    def reduce(self, reduce_op, value, axis):
        is_scalar = all(one.shape.rank == 0 for one in self.experimental_local_results(value))
        return super().reduce(reduce_op, value, axis=None if is_scalar else axis)


def choose_replicas(
    strategy: Annotated[
        Literal["auto", "mirrored", "multi_worker"],
        Setting(
            "what trains together: the devices of this machine (mirrored), the processes of "
            "TF_CONFIG (multi_worker), or what is there (auto)",
            may_change=True,
        ),
    ] = AUTO,
) -> Replicas:
    """What trains a model, and a line about it where that is more than one device.

    Args:
        strategy: ``"mirrored"``, ``"multi_worker"`` or ``"auto"``.

    Raises:
        UserError: If there are not several devices or processes, or ``TF_CONFIG`` can't be read.
    """
    cluster = Cluster.of_environment()
    if strategy == "multi_worker" or (strategy == AUTO and len(cluster) > 1):
        if len(cluster) == 1:
            raise UserError(
                "--strategy multi_worker needs TF_CONFIG to name two processes or more: see the "
                "guide on several machines."
            )
        print(
            f"Process {cluster.index} of {len(cluster)}: {cluster.addresses[cluster.index]}, "
            "waiting for the others.",
            flush=True,
        )
        replicas = Replicas(_workers(), cluster)
    elif len(cluster) > 1:
        raise UserError(
            f"--strategy mirrored is for one process, and TF_CONFIG names {len(cluster)}."
        )
    else:
        gpus = tf.config.list_logical_devices("GPU")
        devices = [one.name for one in gpus or tf.config.list_logical_devices("CPU")]
        if len(devices) == 1:
            if strategy == AUTO:
                return Replicas()
            raise UserError(
                f"--strategy mirrored needs two devices or more, and there is one {devices[0][1:]}."
            )
        replicas = Replicas(tf.distribute.MirroredStrategy(devices))
    print(f"Training on {replicas}.", flush=True)
    return replicas


def is_connected() -> bool:
    """Whether this process is connected to others, which can hold up its end for long."""
    return _workers.cache_info().currsize > 0


@functools.cache
def _workers() -> _Workers:
    """TensorFlow makes the connections once in a process."""
    try:
        return _Workers()
    except RuntimeError as error:
        raise UserError(
            "TensorFlow has to connect to the other processes before it does anything else: start "
            f"the training at the beginning of the program. ({error})"
        ) from error
