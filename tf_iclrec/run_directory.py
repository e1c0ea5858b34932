"""Where a run keeps what.

::

    format.json        the version of this layout
    config.json  metrics.json  history.csv
    checksums.json     of those that don't change any more, written last
    train.log          all figures of each epoch, to read
    data/              the interactions
    checkpoints/       the last two complete epochs, to resume from, and the best one
    tensorboard/       losses and metrics per epoch
    report.html        a page about all of it
    model.keras        the best epoch, which the figures are of
    saved_model/1/     the same for TF Serving
    final/             with --refit: the training on everything
        plan.json      for how many epochs, and with which settings
        history.csv  checkpoints/  tensorboard/
        model.keras    what is served then, also in saved_model/1/
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from tf_iclrec.checksums import DamagedError, read_sealed, write_sealed
from tf_iclrec.errors import UserError
from tf_iclrec.files import locked, move_directory

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

    @classmethod
    def at(cls, output: str | Path) -> "RunDirectory":
        """The run directory that people name, as they write it.

        In full where that is no name of its own, as ``.`` is, or leads up or through a link: the
        new run would be beside something else, and the way is another one once the old is replaced.

        Raises:
            UserError: If the folder that the command was started in is not there any more.
        """
        path = Path(output)
        try:
            in_full = path.resolve()
            return cls(path if path.name and path.absolute() == in_full else in_full)
        except FileNotFoundError as error:
            raise UserError(
                "The folder that this was started in was replaced or removed: go there again, by "
                "cd and its name."
            ) from error

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
    def checksums(self) -> Path:
        return self.path / "checksums.json"

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

    def seal(self, **said: str) -> None:
        """Write checksums of what says which run this is, and of its results if they are there.

        Args:
            said: What is written beside them, such as the day.
        """
        files = (self.format, self.config, self.model, self.final.model, self.metrics)
        names = [str(file.relative_to(self.path)) for file in files if file.is_file()]
        write_sealed(self.checksums, said, names)

    def check_readable(self) -> None:
        """Make sure that here is a run of this version's format.

        Raises:
            UserError: If there is none, or one of another format, or its settings are damaged.
        """
        if not self.config.is_file():
            raise UserError(f"{self.path} is not a run directory: it has no config.json.")
        if self.checksums.is_file():
            read_sealed(self.checksums, {self.format.name, self.config.name})
        written = read_sealed(self.format).get("format") if self.format.is_file() else 1
        if not isinstance(written, int):
            raise DamagedError(f"{self.format} is damaged: it names no format.")
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

    @property
    def successor(self) -> "RunDirectory":
        """Where the run that replaces this one is until it is finished."""
        return RunDirectory(self.path.with_name(f"{self.path.name}.new"))

    @property
    def to_resume(self) -> "RunDirectory":
        """The run to go on with under this name, if there is one."""
        return self.successor if self.successor.config.is_file() else self

    @contextlib.contextmanager
    def written(self, resume: bool, overwrite: bool) -> Iterator["RunDirectory"]:
        """Yield the folder to write a run to, which no other command writes to meanwhile.

        A run that is replaced stays until the new one is whole, which is beside it until then.

        Args:
            resume: Whether to go on with a run that is there.
            overwrite: Whether to replace it.

        Raises:
            UserError: See `check_free` and `tf_iclrec.files.locked`.
        """
        with locked(self.path), locked(self.successor.path):
            directory = self.to_resume
            if not (resume and directory.config.is_file()):
                self.check_free(overwrite)
                self.successor.check_free(overwrite=True)
                directory = self.successor if self.config.is_file() else self
            if directory != self:
                print(f"Until it is finished, the new run is in {directory.path}.", flush=True)
            yield directory
            if directory != self:
                move_directory(directory.path, self.path)
