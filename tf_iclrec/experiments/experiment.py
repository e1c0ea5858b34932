"""What an experiment is: data sets, rows, and what is shown of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.config import Config, make_config
from tf_iclrec.errors import UserError, nearest
from tf_iclrec.evaluation.metrics import ranking_metrics
from tf_iclrec.experiments.dataset import Dataset
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.paper import PaperFigures
from tf_iclrec.experiments.parts.comparison import comparison
from tf_iclrec.experiments.parts.costs import costs
from tf_iclrec.experiments.parts.part import Part
from tf_iclrec.experiments.results import Results
from tf_iclrec.experiments.row import Row
from tf_iclrec.experiments.trial import Trial
from tf_iclrec.options import check_known
from tf_iclrec.systems.registry import SYSTEMS


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table or figure: every row on every data set, with several seeds.

    Attributes:
        name: Of its page's files.
        title: Of its page.
        datasets: What is trained on.
        rows: What is trained.
        metrics: The columns, of those in the ``"test"`` part of ``metrics.json``.
        settings: Of all trainings whose model reads them; they win over the rows' own.
        seeds: Unless others are asked for.
        paper: What a paper prints for the same.
        measurements: What is measured of each training beside the metrics.
        parts: What the page shows: functions from the `Results` to sections.
        small: What a small version has otherwise, by the names of these attributes.

    Example:
    >>> rows = (Row("transitions", baseline=True), Row("ease"))
    >>> table = Experiment("mine", "Mine", (Dataset("shop", "completejourney"),), rows)
    >>> [trial.name.rpartition("-")[0] for trial in table.trials()]
    ['shop-transitions', 'shop-ease']
    """

    name: str
    title: str
    datasets: Sequence[Dataset]
    rows: Sequence[Row]
    metrics: Sequence[str] = ("HR@5", "HR@20", "NDCG@5", "NDCG@20")
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seeds: Sequence[int] = (0,)
    paper: PaperFigures = dataclasses.field(default_factory=dict)
    measurements: Sequence[Measurement] = ()
    parts: Sequence[Callable[[Results], list[Part]]] = (comparison, costs)
    small: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        known = [metric.name for metric in ranking_metrics()]
        for metric in self.metrics:
            if metric not in known:
                raise ValueError(f"Unknown metric {metric!r}: {nearest(metric, known)}")
        if "seed" in self.settings:
            raise ValueError(f"The seeds of {self.name} are seeds=(0, 1, 2), not in its settings.")
        for what, names in (
            ("data sets", [one.name for one in self.datasets]),
            ("rows", [row.name for row in self.rows]),
            ("labels of rows", [row.label for row in self.rows]),
        ):
            if len({*names}) < len(names):
                raise ValueError(f"Two {what} of {self.name} have the same name: {names}.")

    def smaller(self) -> Experiment:
        """Its small version.

        Example:
        >>> rows = (Row("sasrec"), Row("iclrec"))
        >>> table = Experiment("mine", "Mine", (), rows, seeds=(0, 1), small={"seeds": (0,)})
        >>> table.smaller().seeds
        (0,)
        """
        return dataclasses.replace(self, **self.small)

    def only(
        self,
        datasets: Sequence[str] = (),
        models: Sequence[str] = (),
        seeds: Sequence[int] = (),
    ) -> Experiment:
        """A part of it.

        Args:
            datasets: Names of data sets; none: all that are not optional.
            models: Names of rows, or of systems for all rows of theirs; none: all rows that are
                not optional. A system that has no row gets one.
            seeds: Seeds; none: its own.

        Raises:
            UserError: If there is no such data set or model.

        Example: a model without a row of its own gets one.
        >>> rows = (Row("sasrec"), Row("iclrec"))
        >>> table = Experiment("mine", "Mine", (Dataset("shop", "completejourney"),), rows)
        >>> [row.name for row in table.only(models=["iclrec", "ease"]).rows]
        ['iclrec', 'ease']
        """
        of_data = {one.name: [one] for one in self.datasets}
        of_model = {name: [Row(name)] for name in SYSTEMS}
        of_model |= {row.model: [] for row in self.rows}
        for row in self.rows:
            of_model[row.model].append(row)
        of_model |= {row.name: [row] for row in self.rows if row.name != row.model}
        for what, names, known in (("data set", datasets, of_data), ("model", models, of_model)):
            for name in names:
                if name not in known:
                    raise UserError(f"Unknown {what} {name!r}: {nearest(name, known)}")
        usual = [[one for one in every if not one.optional] for every in (self.datasets, self.rows)]
        # What is named twice, or by its model too, is one.
        asked = [
            list({one.name: one for name in names for one in known[name]}.values())
            for names, known in ((datasets, of_data), (models, of_model))
        ]
        return dataclasses.replace(
            self,
            datasets=asked[0] or usual[0],
            rows=asked[1] or usual[1],
            seeds=seeds or self.seeds,
        )

    def trials(self, folder: Path | None = None) -> list[Trial]:
        """What is to be trained, data set by data set, and of each the first seeds first.

        Args:
            folder: Of the data.

        Raises:
            UserError: If files are missing, or a row's settings can't be used.
        """
        self._check_files(folder)
        check_known(self.settings)
        # Of a model without a seed all are one.
        return list({(one.row, one.name): one for one in self._trials(folder)}.values())

    def _trials(self, folder: Path | None) -> Iterator[Trial]:
        for dataset in self.datasets:
            of_files = dataset.digests(folder, self._items_are_needed)
            digests = {items: dataset.digest(of_files, items) for items in (False, True)}
            items = dataset.options(folder, self._items_are_needed).get("items", "")
            of_items = of_files.get(dataset.items, b"").hex()
            measurements = tuple(one.of(items, of_items) for one in self.measurements)
            for seed in self.seeds:
                for row in self.rows:
                    config = self._config(dataset.options(folder, row.items), dataset, row, seed)
                    yield Trial(dataset.name, row.label, config, digests[row.items], measurements)

    def _config(self, files: Mapping[str, Any], dataset: Dataset, row: Row, seed: int) -> Config:
        own = {**row.settings, **row.of_dataset.get(dataset.name, {}), **files}
        try:
            config, left = make_config(row.model, **own), {"seed": seed, **self.settings}
            # Some are read only where others are set: the width of a GRU, where it is the encoder.
            while read := left.keys() & config.options().keys():
                own |= {option: left.pop(option) for option in read}
                config = make_config(row.model, **own)
            return config
        except UserError as error:
            raise UserError(f"{row.label}: {error}") from error

    @property
    def _items_are_needed(self) -> bool:
        """Where nothing is trained, the page is about the data."""
        return not self.rows or any(one.items for one in (*self.rows, *self.measurements))

    def _check_files(self, folder: Path | None) -> None:
        for dataset in self.datasets:
            missing = dataset.missing(folder, self._items_are_needed)
            if missing:
                where = f"in {folder}" if folder else "without --data"
                raise UserError(
                    f"{dataset.name} needs {' and '.join(missing)}, not found {where}. "
                    f"{dataset.source}"
                )
