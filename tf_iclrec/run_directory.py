"""Where a run keeps what.

::

    format.json        the version of this layout
    config.json  metrics.json  history.csv
    train.log          all figures of each epoch, to read
    data/              the interactions
    checkpoints/       the last complete epoch, to resume from
    tensorboard/       losses and metrics per epoch
    report.html        a page about all of it
    model.keras        the best epoch, which the figures are of
    saved_model/1/     the same for TF Serving
    final/             with --refit: the training on everything
        plan.json      for how many epochs, and with which settings
        history.csv  checkpoints/  tensorboard/
        model.keras    what is served then, also in saved_model/1/
"""

import dataclasses
import json
from pathlib import Path

from tf_iclrec.errors import UserError

# Raised when what is written and what is read don't fit together any more. 3: the settings by
# section.
FORMAT = 3


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """Paths of a run.

    Args:
        path: The folder.
    """

    path: Path

    @property
    def format(self) -> Path:
        return self.path / "format.json"

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def history(self) -> Path:
        return self.path / "history.csv"

    @property
    def log(self) -> Path:
        return self.path / "train.log"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def saved_models(self) -> Path:
        return self.path / "saved_model"

    @property
    def final(self) -> "RunDirectory":
        """The training on everything, laid out alike."""
        return RunDirectory(self.path / "final")

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def served_model(self) -> Path:
        """The model that was trained on everything, where there is one."""
        return self.final.model if self.final.model.is_file() else self.model

    @property
    def state(self) -> Path:
        """There once an epoch is complete."""
        return self.checkpoints / "state.json"

    def check_readable(self) -> None:
        """Make sure that here is a run of this version's format.

        Raises:
            UserError: If there is none, or one of another format.
        """
        if not self.config.is_file():
            raise UserError(f"{self.path} is not a run directory: it has no config.json.")
        written = json.loads(self.format.read_text())["format"] if self.format.is_file() else 1
        if written > FORMAT:
            raise UserError(
                f"The run in {self.path} has format {written}, and this version of tf_iclrec reads "
                f"format {FORMAT}: upgrade tf_iclrec."
            )
        if written < FORMAT:
            raise UserError(
                f"The run in {self.path} is of an earlier version of tf_iclrec (format {written}, "
                f"now {FORMAT}): train again."
            )

    def check_free(self, overwrite: bool) -> None:
        """Make sure that nothing is lost by writing here.

        Raises:
            UserError: If the folder holds a run and ``overwrite`` is false, or holds something
                else than a run.
        """
        if self.path.is_file():
            raise UserError(f"{self.path} is a file; the output must be a folder.")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not self.config.is_file():
            raise UserError(f"{self.path} is not empty and holds no run; choose another folder.")
        if not overwrite:
            raise UserError(
                f"{self.path} already holds a run. Use --resume to continue it, --overwrite to "
                "replace it, or another --output."
            )
