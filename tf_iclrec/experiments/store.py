"""A folder of trainings: one folder each, named by what it was trained with.

::

    version.json          what they were trained by
    trials/NAME/          a run directory, and beside what is in one:
        trial.json        written last: what it is known by, and how long it took
        ranks.npz         the rank of each test item, and whose it is
        NOISE-....json    measurements
    trials/NAME.log       what the training said

Experiments that have trainings in common share them in one folder.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tf_iclrec
from tf_iclrec.errors import UserError
from tf_iclrec.experiments.trial import Trial
from tf_iclrec.files import check_place, read_json, write_json
from tf_iclrec.run_directory import RunDirectory

# Raised by a change after which a training with the same settings ends with other figures, or
# leaves other files: what was trained before is not used any more. A release (0.4, 0.5) does the
# same.
TRAININGS = 2
# What a finished training leaves beside a run.
TRIAL, RANKS = "trial.json", "ranks.npz"


@dataclasses.dataclass(frozen=True)
class Store:
    """Trainings of one version of the library.

    Args:
        folder: Where they are, or will be.
    """

    folder: Path

    def open(self) -> None:
        """Make the folder, or see that it is of this version.

        Raises:
            UserError: If it is of another one, holds something else, or what says so is damaged.
        """
        path, ours = self.folder / "version.json", _version()
        if not path.is_file():
            check_place(path)
            if not (self._is_new() or path.is_file()):
                raise UserError(
                    f"{self.folder} is not empty and holds no trainings of experiments; choose "
                    "another --output."
                )
            # Another command may make it, too, right now.
            (self.folder / "trials").mkdir(parents=True, exist_ok=True)
            write_json(path, ours)
        theirs = read_json(path)
        if not isinstance(theirs, dict) or theirs.keys() != ours.keys():
            raise UserError(
                f"{path} is damaged and does not say which version trained: choose another "
                "--output."
            )
        if theirs != ours:
            raise UserError(
                f"The trainings in {self.folder} are of tf_iclrec {theirs['tf_iclrec']} (trainings "
                f"{theirs['trainings']}), this is {ours['tf_iclrec']} (trainings "
                f"{ours['trainings']}), which trains otherwise: choose another --output."
            )

    def run(self, trial: Trial) -> RunDirectory:
        """Where a training is, or will be."""
        return RunDirectory(self.folder / "trials" / trial.name)

    def log(self, trial: Trial) -> Path:
        """What a training said."""
        return self.folder / "trials" / f"{trial.name}.log"

    def is_trained(self, trial: Trial) -> bool:
        """Whether a training is finished."""
        return (self.run(trial).path / TRIAL).is_file()

    def lacks(self, trial: Trial) -> bool:
        """Whether there is anything left to do for a training."""
        path = self.run(trial).path
        measured = all((path / one.file).is_file() for one in trial.measurements)
        return not (self.is_trained(trial) and measured)

    def _is_new(self) -> bool:
        """Whether there is nothing, or what is left where `open` was killed."""
        trials = self.folder / "trials"
        found = [*(self.folder.iterdir() if self.folder.is_dir() else ())]
        others = [one for one in found if one != trials and not one.name.startswith(".writing.")]
        return not others and not (trials.is_dir() and any(trials.iterdir()))


def _version() -> dict[str, str | int]:
    release = tf_iclrec.__version__.rpartition(".")[0]
    return {"tf_iclrec": release, "trainings": TRAININGS}
