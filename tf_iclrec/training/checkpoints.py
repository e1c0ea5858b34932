"""The last epochs of a training, each whole and with checksums."""

import math
import shutil
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tf_iclrec.checksums import DamagedError, read_sealed, write_sealed
from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_file, reserve

_LAST, _BEFORE = "state.json", "state_before.json"
# What HDF5 needs beside the numbers of a variable, at most.
_BYTES_BESIDE = 4096


class Checkpoints:
    """Weights and what belongs to them, after the last epoch and after the one before it.

    ``state.json`` is written last and names its weights, with their checksums, so a training that
    is killed at any moment has a consistent checkpoint. If the last epoch turns out to be damaged,
    the one before is used; if only the weights of the best one are, the last counts as the best.

    Args:
        folder: Where they are; must exist to `save`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._last: dict[str, Any] | None = None
        self._digests: dict[str, str] = {}

    def save(self, model: keras.Model, epoch: int, is_best: bool, **state: Any) -> None:
        """Save a complete epoch, and forget those before the last.

        Args:
            model: Its weights are saved, the optimizer's among them.
            epoch: Its number.
            is_best: Whether its weights are those that `best` names, as long as no later ones are.
            state: What else to keep, as JSON.
        """
        weights = f"epoch_{epoch}.weights.h5"
        with replace_file(self.folder / weights) as path:
            reserve(path, _size(model))
            model.save_weights(path)
        before = self._last
        best = weights if is_best or before is None else before["best_weights"]
        self._last = {"weights": weights, "best_weights": best, **state}
        if before is not None:
            self._copy(_LAST, _BEFORE)
        # What was written before is sealed as it was then, also if it has been damaged since.
        known = {name: value for name, value in self._digests.items() if name != weights}
        self._digests = write_sealed(self.folder / _LAST, self._last, _files(self._last), known)
        kept = _files(self._last) | _files(before or self._last)
        for old in self.folder.glob("*.weights.h5"):
            if old.name not in kept:
                old.unlink()

    def read(self) -> dict[str, Any] | None:
        """What was kept of the last epoch that is not damaged; None before the first.

        If the weights of the best epoch are damaged, this says so, and ``best_weights`` of the
        result are its own ``weights``.

        Raises:
            UserError: If all there is is damaged.
        """
        damages = []
        for name in (_LAST, _BEFORE):
            if not (self.folder / name).is_file():
                continue
            try:
                self._last = _whole(self.folder / name)
            except DamagedError as error:
                damages.append(str(error))
                continue
            if damages:
                print(f"{damages[0]} Going on after the epoch before.", flush=True)
                self._copy(_BEFORE, _LAST)
            return self._last
        if damages:
            raise UserError(f"{damages[0]} There is no other checkpoint: train again.")
        return None

    def load(self, model: keras.Model) -> None:
        """Load the weights of the epoch that `read` found."""
        model.load_weights(self.folder / self._last["weights"])

    def load_best(self, model: keras.Model) -> None:
        """Load the weights of the best epoch."""
        model.load_weights(self.folder / self._last["best_weights"])

    def _copy(self, name: str, other: str) -> None:
        with replace_file(self.folder / other) as path:
            shutil.copyfile(self.folder / name, path)


def _size(model: keras.Model) -> int:
    """Bytes of a file with all weights of a model, the optimizer's among them, at most."""
    variables = [*model.variables, *model.optimizer.variables]
    return sum(_BYTES_BESIDE + math.prod(x.shape) * tf.as_dtype(x.dtype).size for x in variables)


def _whole(path: Path) -> dict[str, Any]:
    """A state with weights that are as they were written.

    Raises:
        DamagedError: If it is damaged, or the weights of its epoch are.
    """
    state = _complete(read_sealed(path, ()))
    read_sealed(path, {state["weights"]})
    try:
        read_sealed(path, {state["best_weights"]})
    except DamagedError as error:
        print(f"{error} It was the best epoch's: the last one counts as the best.", flush=True)
        state["best_weights"] = state["weights"]
    return state


def _complete(state: dict[str, Any]) -> dict[str, Any]:
    """A state as it is written now: earlier versions kept the best weights under another name."""
    state = {"best_weights": "best.weights.h5"} | state
    if not all(isinstance(name, str) and Path(name).name == name for name in _files(state)):
        raise DamagedError("A checkpoint names weights in another folder.")
    return state


def _files(state: dict[str, Any]) -> set[str]:
    return {state["weights"], state["best_weights"]}
