"""What a training run leaves behind, and how to read it again."""

import dataclasses
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from tf_iclrec.checksums import DamagedError, check_files, read_sealed
from tf_iclrec.config import Config, make_config, resolve, settings_of_run
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.item_table import read_item_table
from tf_iclrec.data.new_items import NewItems
from tf_iclrec.data.preparation.columns import named_or_guessed
from tf_iclrec.data.preparation.source import GIVEN
from tf_iclrec.data.prepared import noted, read_prepared, write_prepared
from tf_iclrec.data.reading import how_read
from tf_iclrec.data.splits.everything import split_to_serve
from tf_iclrec.data.splits.registry import SPLITS
from tf_iclrec.data.splits.split import Split, check_log
from tf_iclrec.data.splits.training_share import train_on_share
from tf_iclrec.data.tables import column_names
from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_directory, write_json
from tf_iclrec.models.recommender import Recommender
from tf_iclrec.run_directory import FORMAT, RunDirectory
from tf_iclrec.serving.new_items import with_new_items


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        model: The best epoch's model, or the one that is served.
        split: The data it was trained on, with its vocabularies.
        config: Its settings.
        metrics: ``{"valid": {"HR@5": ...}, "test": {...}}``, and what else `full_report` says of
            the test: ``"lists"``, ``"intervals"`` and ``"groups"``, and ``"yardsticks"`` by
            name. Runs of earlier versions have the first two alone.
        how_read: Settings with which newer tables like those of its data are read. Defaults to
            those of the configuration, or of the prepared data that it names.

    Example: a model that was made by hand, for everything that takes a run.
    >>> from tf_iclrec import PopularityRecommender, evaluate_run, leave_one_out, make_config
    >>> log = Interactions.from_sequences({
    ...     "ann": ["tea", "jam", "oil"], "bob": ["oil", "rye", "jam"]})
    >>> model = PopularityRecommender([1, 2, 3, 4])  # Of jam, oil, rye and tea.
    >>> run = Run(model, leave_one_out(log), make_config("transitions"), metrics={})
    >>> evaluate_run(run)["test"]["MRR@5"]  # Second to rye, and to tea.
    0.5
    """

    model: Recommender
    split: Split
    config: Config
    metrics: dict[str, Any]
    how_read: Mapping[str, Any] | None = None

    def __post_init__(self):
        if self.how_read is None:
            object.__setattr__(self, "how_read", how_read(self.config.data))

    @property
    def interactions(self) -> Interactions:
        """The log, without users who can't be split."""
        return self.split.interactions

    def with_new_items(self, new_items: str | Path | NewItems) -> "Run":
        """The run with a larger catalogue; see `tf_iclrec.with_new_items`. A table has the columns
        that the run's own tables have.

        Example: rye is where the other item of its provider is.
        >>> from tf_iclrec import build_model, leave_one_out, make_config
        >>> log = Interactions.from_sequences({"ann": ["tea", "jam", "oil"]})
        >>> log = log.with_item_providers({"tea": "acme", "jam": "best"})
        >>> split, config = leave_one_out(log), make_config("sasrec")
        >>> run = Run(build_model(config, split.catalogue), split, config, metrics={})
        >>> run = run.with_new_items({"rye": {"provider": "best"}})
        >>> jam, oil, tea, rye = run.model.item_vectors().numpy()
        >>> run.interactions.items.ids.tolist(), bool((rye == jam).all())
        (['jam', 'oil', 'tea', 'rye'], True)
        """
        columns = self._columns_in(new_items) if isinstance(new_items, str | Path) else {}
        model, split = with_new_items(self.model, self.split, new_items, **columns)
        return dataclasses.replace(self, model=model, split=split)

    def _columns_in(self, table: str | Path) -> dict[str, str]:
        """The columns of the run's own tables of items, where another has them too or has none that
        look like them: otherwise ``""``, to be guessed."""
        there = column_names(table)
        return {
            name: named_or_guessed(name.removesuffix("_column"), there, column)
            for name, column in self.how_read["item_table"].items()
        }

    def with_item_labels(
        self, items: str | Path, title_column: str = "", item_labels: Sequence[str] = ()
    ) -> "Run":
        """The run with more that describes its items to people.

        Args:
            items: A table with a row per item; its ids have the column of the run's own tables.
            title_column: Column with titles; ``""``: the one that looks like it.
            item_labels: Further columns.

        Raises:
            UserError: If the table or a column is missing, or no item of the run is in it.

        Example:
        >>> import tempfile
        >>> from tf_iclrec import PopularityRecommender, leave_one_out, make_config
        >>> items = Path(tempfile.mkdtemp()) / "items.csv"
        >>> _ = items.write_text("item_id,title\\ntea,Green tea\\noil,Olive oil\\n")
        >>> split = leave_one_out(Interactions.from_sequences({"ann": ["tea", "jam", "oil"]}))
        >>> run = Run(PopularityRecommender([1, 2, 3]), split, make_config("transitions"), {})
        >>> run.with_item_labels(items).interactions.titles.tolist()
        ['', 'Olive oil', 'Green tea']
        """
        column = self._columns_in(items)["item_column"]
        table = read_item_table(items, column, title_column=title_column, labels=item_labels)
        split = dataclasses.replace(self.split, interactions=table.label(self.interactions))
        return dataclasses.replace(self, split=split)


def split_of(config: Config, interactions: Interactions) -> Split:
    """A log as the configuration wants it split."""
    split = SPLITS[config.split.name](interactions, **config.split.arguments).check()
    return train_on_share(split, **config.trained_on)


def check_same_split(split: Split, config: Config, directory: RunDirectory) -> None:
    """Make sure that the log of a run is split as it was for the training.

    Raises:
        UserError: If it is not: a split of one's own was changed, or draws anew each time.
    """
    before = noted(directory.data, "split")
    if before and before != split.digest():
        raise UserError(
            f"The split {config.split.name} is another one than when the run in {directory.path} "
            "was started, so that figures of then and now would not compare: bring back what it "
            "was, or train anew."
        )


def of_given_log(config: Config, interactions: Interactions) -> Config:
    """The configuration without its source, which is not read.

    Raises:
        UserError: If what is given is no log, or settings say how one is to be read.
    """
    check_log(interactions)
    config = config.replace(data=GIVEN)
    usual = make_config(config.model, data=GIVEN).data
    given = [name for name, value in config.data.items() if value != usual[name]]
    if given:
        raise UserError(
            f"{', '.join(given)} would not be applied to a log that is given: give them to "
            "load_interactions. Where they come from an earlier run, set "
            f"{', '.join(f'{name}={usual[name]!r}' for name in given)}."
        )
    return config


def start_run(
    directory: RunDirectory,
    config: Config,
    interactions: Interactions | None = None,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Make the folder ready for a new run, removing an old one.

    Args:
        directory: The folder.
        config: The settings.
        interactions: The data; None where each run inside the folder has its own.
        notes: What to note of them: ``sources``, the `fingerprint` of what they were read from,
            ``how_read``, and the digest of their ``split``.
    """
    directory.path.parent.mkdir(parents=True, exist_ok=True)
    # As a whole, so that what is there can be resumed.
    with replace_directory(directory.path) as path:
        new = RunDirectory(path)
        new.path.mkdir()
        write_json(new.format, {"format": FORMAT})
        new.config.write_text(config.to_json() + "\n")
        if interactions is not None:
            new.checkpoints.mkdir()
            write_prepared(interactions, new.data, notes)
        new.seal()


def read_config(directory: RunDirectory) -> Config:
    """The settings of a run.

    Raises:
        UserError: If the folder holds no run, or one of another format.
    """
    model, settings = settings_of_run(directory.path)
    return resolve(model, {}, settings)


def load_run(path: str | Path, for_serving: bool = False) -> Run:
    """Read a finished run.

    Args:
        path: A run directory.
        for_serving: Whether to read the model that is put to use, where that is another one: with
            ``--refit`` the one trained on everything. The metrics are in any case those of the
            model that was evaluated.

    Raises:
        UserError: If the folder holds no run, or one that was interrupted or is damaged, or the
            split of what was evaluated is another one now.

    Example: that of `tf_iclrec.fit` trains a run and reads it.
    >>> run = load_run("runs/mine")  # doctest: +SKIP
    >>> run.config.model, run.metrics["test"]["NDCG@20"]  # doctest: +SKIP
    ('iclrec', 0.0483)
    >>> load_run("runs/of nobody")
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: ...
    """
    directory = RunDirectory(Path(path))
    config = read_config(directory)
    needed = [directory.model, directory.metrics, *[directory.final.model] * config.final.refit]
    if directory.metrics.is_file() and not (directory.data.is_dir() or directory.model.is_file()):
        raise UserError(f"{path} holds a run for each date of --roll: name the folder of one.")
    to_do = f"python -m tf_iclrec.train --resume --output {path}"
    if not all(path.is_file() for path in needed):
        raise UserError(f"The run in {path} is not finished. Continue it: {to_do}")
    model = directory.served_model if for_serving else directory.model
    try:
        checked = _checked(directory, model, directory.metrics)
        metrics = read_sealed(directory.metrics)
    except DamagedError as error:
        # Also what is left where a finished run was given more epochs and then killed.
        raise UserError(f"{error} To write it again: {to_do}") from error
    split = split_of(config, read_prepared(directory.data))
    if for_serving:
        split = split_to_serve(split, **config.final)
    else:
        check_same_split(split, config, directory)
    return Run(
        model=_load_model(model, is_whole=model in checked),
        split=split,
        config=config,
        metrics=metrics,
        how_read=noted(directory.data, "how_read"),
    )


def _checked(directory: RunDirectory, *files: Path) -> set[Path]:
    """Those of some files that have checksums, and are as they were written."""
    if not directory.checksums.is_file():
        return set()
    names = {str(file.relative_to(directory.path)): file for file in files}
    return {names[name] for name in check_files(directory.checksums, names)}


def _load_model(path: Path, is_whole: bool = False) -> Recommender:
    """Read a ``.keras`` file: what its configuration names must be a part of Keras or registered
    with it, and nothing is imported or unpickled.

    Args:
        path: The file.
        is_whole: Whether it is known to be as it was written, so that it is read once, not twice.

    Raises:
        DamagedError: If the file is damaged, or holds something else than a recommender.
    """
    try:
        if not is_whole:
            with zipfile.ZipFile(path) as archive:
                if name := archive.testzip():
                    raise DamagedError(
                        f"{path} is damaged: its part {name} is not as it was written."
                    )
        model = keras.saving.load_model(path, safe_mode=True)
    except DamagedError:
        raise
    except Exception as error:  # Whatever Keras or HDF5 make of it.
        raise DamagedError(f"{path} can't be read: {_reason(error)}") from error
    if not isinstance(model, Recommender):
        raise DamagedError(f"{path} holds no recommender.")
    return model


def _reason(error: Exception) -> str:
    """In a line; of what Keras says the part behind the configuration of all."""
    said = str(error).rpartition("Exception encountered: ")[2].partition(" Full object config")[0]
    reason = (said.strip().splitlines() or [type(error).__name__])[0]
    if "Could not locate" in said:
        reason += " Import the module of a part of your own first: --import MODULE."
    return reason
