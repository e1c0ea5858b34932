"""What a training run leaves behind, and how to read it again."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras

from tf_iclrec.config import Config, read_settings, resolve
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.new_items import NewItems
from tf_iclrec.data.prepared import read_prepared, write_prepared
from tf_iclrec.data.splits.registry import SPLITS
from tf_iclrec.data.splits.split import Split
from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_file, write_json
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.serving.new_items import with_new_items

# Raised when what is written and what is read don't fit together any more. 3: the settings by
# section.
FORMAT = 3


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        model: The best epoch's model.
        split: The data it was trained on, with its vocabularies.
        config: Its settings.
        metrics: ``{"valid": {"HR@5": ...}, "test": {...}}``.
    """

    model: Recommender
    split: Split
    config: Config
    metrics: dict[str, dict[str, float]]

    @property
    def interactions(self) -> Interactions:
        """The whole log."""
        return self.split.interactions

    def with_new_items(self, new_items: str | Path | NewItems) -> "Run":
        """The run with a larger catalogue; see `tf_iclrec.with_new_items`. A table has the columns
        that the run's own tables have."""
        columns = self.config.data.item_column, self.config.data.provider_column
        model, split = with_new_items(self.model, self.split, new_items, *columns)
        return dataclasses.replace(self, model=model, split=split)


def split_of(config: Config, interactions: Interactions) -> Split:
    """A log as the configuration wants it split."""
    return SPLITS[config.split.name](interactions, **config.split.arguments)


def start_run(directory: RunDirectory, config: Config, interactions: Interactions) -> None:
    """Make the folder ready for a new run, removing an old one."""
    if directory.path.is_dir():
        shutil.rmtree(directory.path)
    directory.path.mkdir(parents=True)
    directory.checkpoints.mkdir()
    write_json(directory.format, {"format": FORMAT})
    with replace_file(directory.config) as path:
        path.write_text(config.to_json() + "\n")
    write_prepared(interactions, directory.data)


def read_config(directory: RunDirectory) -> Config:
    """The settings of a run.

    Raises:
        UserError: If the folder holds no run, or one of another format.
    """
    path = directory.path
    if not directory.config.is_file():
        raise UserError(f"{path} is not a run directory: it has no config.json.")
    written = (
        json.loads(directory.format.read_text())["format"] if directory.format.is_file() else 1
    )
    if written > FORMAT:
        raise UserError(
            f"The run in {path} has format {written}, and this version of tf_iclrec reads format "
            f"{FORMAT}: upgrade tf_iclrec."
        )
    if written < FORMAT:
        raise UserError(
            f"The run in {path} is of an earlier version of tf_iclrec (format {written}, now "
            f"{FORMAT}): train again."
        )
    model, settings = read_settings(directory.config)
    return resolve(model, {}, settings)


def load_run(path: str | Path) -> Run:
    """Read a finished run.

    Args:
        path: A run directory.

    Raises:
        UserError: If the folder holds no run, or one that was interrupted.
    """
    directory = RunDirectory(Path(path))
    config = read_config(directory)
    if not directory.model.is_file() or not directory.metrics.is_file():
        raise UserError(
            f"The run in {path} is not finished. Continue it: python -m tf_iclrec.train "
            f"--resume --output {path}"
        )
    return Run(
        model=keras.saving.load_model(directory.model),
        split=split_of(config, read_prepared(directory.data)),
        config=config,
        metrics=json.loads(directory.metrics.read_text()),
    )
