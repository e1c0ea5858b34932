"""What a training run leaves behind, and how to read it again.

::

    format.json        the version of this layout
    config.json  metrics.json  history.csv
    data/              the interactions, users too short to split removed
    checkpoints/       the last complete epoch, to resume from
    tensorboard/       losses and metrics per epoch
    model.keras        the best epoch
    saved_model/1/     the same for TF Serving
"""

import dataclasses
import json
import shutil
from pathlib import Path

import keras

from tf_iclrec.config import Config, read_settings
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_file, write_json
from tf_iclrec.models.presets import make_config
from tf_iclrec.models.sequential_recommender import SequentialRecommender

# Raised when what is written and what is read don't fit together any more. 2: the data's arrays
# are files of their own.
FORMAT = 2


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

    def start(self, config: Config, interactions: Interactions) -> None:
        """Make the folder ready for a new run, removing an old one."""
        if self.path.is_dir():
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True)
        self.checkpoints.mkdir()
        write_json(self.format, {"format": FORMAT})
        with replace_file(self.config) as path:
            path.write_text(config.to_json() + "\n")
        interactions.save(self.data)

    def read_config(self) -> Config:
        """The settings of the run.

        Raises:
            UserError: If the folder holds no run, or one of another format.
        """
        if not self.config.is_file():
            raise UserError(f"{self.path} is not a run directory: it has no config.json.")
        written = json.loads(self.format.read_text())["format"] if self.format.is_file() else 1
        if written > FORMAT:
            raise UserError(
                f"The run in {self.path} has format {written}, and this version of tf_iclrec "
                f"reads format {FORMAT}: upgrade tf_iclrec."
            )
        if written < FORMAT:
            raise UserError(
                f"The run in {self.path} is of an earlier version of tf_iclrec (format {written}, "
                f"now {FORMAT}): train again."
            )
        return make_config(**read_settings(self.config))


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        model: The best epoch's model.
        interactions: The data it was trained on, with its vocabulary.
        config: Its settings.
        metrics: ``{"valid": {"HR@5": ...}, "test": {...}}``.
    """

    model: SequentialRecommender
    interactions: Interactions
    config: Config
    metrics: dict[str, dict[str, float]]


def load_run(path: str | Path) -> Run:
    """Read a finished run.

    Args:
        path: A run directory.

    Raises:
        UserError: If the folder holds no run, or one that was interrupted.
    """
    directory = RunDirectory(Path(path))
    config = directory.read_config()
    if not directory.model.is_file() or not directory.metrics.is_file():
        raise UserError(
            f"The run in {path} is not finished. Continue it: python -m tf_iclrec.train "
            f"--resume --output {path}"
        )
    return Run(
        model=keras.saving.load_model(directory.model),
        interactions=Interactions.load(directory.data),
        config=config,
        metrics=json.loads(directory.metrics.read_text()),
    )
