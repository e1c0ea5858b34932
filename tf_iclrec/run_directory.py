"""Where a run keeps what.

::

    format.json        the version of this layout
    config.json  metrics.json  history.csv
    data/              the interactions, without users who can't be split
    checkpoints/       the last complete epoch, to resume from
    tensorboard/       losses and metrics per epoch
    model.keras        the best epoch
    saved_model/1/     the same for TF Serving
"""

import dataclasses
from pathlib import Path

from tf_iclrec.errors import UserError


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
