"""A training of an experiment, and what it is known by."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from typing import Any

from tf_iclrec.config import Config
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.own_code import sources_of
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.system import CHOICE, Section

# The data count by their content, wherever they are.
_PATHS = ("data", "items")


@dataclasses.dataclass(frozen=True)
class Trial:
    """One training.

    It is known by its model, the settings that are not their parts' defaults, what the data files
    hold, and the source of those of its parts that are no part of the library. What the library's
    own parts compute is not looked at: that is what the version of a `Store` stands for. So neither
    a new setting, nor an edited comment, nor another place of the data makes it another training.

    Attributes:
        dataset: Name of the data set.
        row: Label of the row.
        config: All settings.
        data: Digest of the data.
        measurements: What is measured of it.
    """

    dataset: str
    row: str
    config: Config
    data: str
    measurements: tuple[Measurement, ...] = ()

    @property
    def seed(self) -> int | None:
        """Of everything random; None for a model without."""
        return self.config.options().get("seed")

    @functools.cached_property
    def name(self) -> str:
        """Of its folder: data set, model and seed to read, and a digest of all it is known by."""
        seed = [] if self.seed is None else [f"{self.seed}"]
        digest = hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()
        name = re.sub(r"[^\w.]+", "_", self.dataset)
        return "-".join([name, self.config.model, *seed, digest[:10]])

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """All that it is known by, as JSON has it."""
        settings, sources = {}, {}
        for section in SYSTEMS[self.config.model].family.sections:
            values = self.config.get(section.key, {})
            is_off = section.switch and not values.get(section.switch)
            chosen = values.get(CHOICE, "")
            if chosen and chosen != section.default:
                settings[section.option] = chosen
            for name, declared in section.settings(chosen).items() if values else ():
                default = 0.0 if name == section.switch else declared.default
                if name in values and values[name] != default:
                    settings[declared.option(section.prefix)] = values[name]
            if values and not is_off:
                sources |= _sources(section, chosen)
        return {
            "model": self.config.model,
            "settings": {key: value for key, value in settings.items() if key not in _PATHS},
            "data": self.data,
            "sources": sources,
        }

    def __str__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.row} on {self.dataset}{seed}"


def _sources(section: Section, chosen: str) -> dict[str, str]:
    """The text of the parts that are not the library's, and of what they are made of."""
    parts = section.alternatives[chosen] if chosen else section.parts
    found: dict[str, str] = {}
    for part in parts if isinstance(parts, tuple) else (parts,):
        found |= sources_of(part)
    return found
