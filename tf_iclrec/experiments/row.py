"""A row of an experiment's table: a model and its settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Row:
    """What is trained on each data set, once for each seed.

    Attributes:
        name: What ``--models`` calls it, and without ``model`` the model's name.
        label: What tables call it, and the paper's figures; by default ``name``.
        model: Name of the system.
        settings: What it sets otherwise than the system does, by option.
        of_dataset: Further settings by the name of the data set.
        items: Whether the model is given the table of items.
        optional: Whether it is trained only where it is asked for.
        group: Rows are tested against baselines of the same group alone: those of another one have
            other users, or something else is asked of them.
        baseline: Whether it is one of those that the other rows are tested against.
        line: In charts, the line that it is a point of; by default ``label``.
        at: Its place along the axes of charts, by the name of the axis.

    Example:
    >>> Row("sasrec", "SASRec", settings={"epochs": 5}, baseline=True).label
    'SASRec'
    """

    name: str
    label: str = ""
    model: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    of_dataset: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    items: bool = False
    optional: bool = False
    group: str = ""
    baseline: bool = False
    line: str = ""
    at: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for name, default in (("label", self.name), ("model", self.name)):
            object.__setattr__(self, name, getattr(self, name) or default)
        object.__setattr__(self, "line", self.line or self.label)
