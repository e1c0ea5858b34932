"""What a system is: a name for settings, in a family of models that are made alike."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tf_iclrec.models.recommender import Recommender
from tf_iclrec.settings import Declared, Part, settings_of

# Of each section the values of its settings, by parameter.
Tree = dict[str, dict[str, Any]]
# How a choice among alternatives is called inside its section.
CHOICE = "name"


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a configuration, and where its settings are declared.

    Attributes:
        key: Its name in ``config.json``.
        title: Its heading in the help.
        parts: Classes and functions whose settings these are.
        alternatives: In place of ``parts``: the part, or parts, of each alternative, by name.
        option: Option that chooses among the alternatives.
        default: The alternative that is chosen without it.
        help: What is chosen.
        prefix: What stands before the names of parameters in options.
        switch: A parameter; while it is 0 the section has no other setting.
        read_if: Whether the section belongs to a configuration, by the sections before it.
            Defaults to always.
    """

    key: str
    title: str
    parts: tuple[Part, ...] = ()
    alternatives: Mapping[str, Part | tuple[Part, ...]] = dataclasses.field(default_factory=dict)
    option: str = ""
    default: str = ""
    help: str = ""
    prefix: str = ""
    switch: str = ""
    read_if: Callable[[Tree], bool] = lambda tree: True

    def settings(self, chosen: str = "") -> dict[str, Declared]:
        """The settings of an alternative, or of the parts, by parameter."""
        parts = self.alternatives[chosen] if self.alternatives else self.parts
        found: dict[str, Declared] = {}
        for part in parts if isinstance(parts, tuple) else (parts,):
            found |= settings_of(part)
        return found

    def all_settings(self) -> dict[tuple[str, str], Declared]:
        """The settings of all alternatives, by option and parameter: alternatives may call
        parameters alike that have options of their own."""
        return {
            (declared.option(self.prefix), name): declared
            for chosen in self.alternatives or ("",)
            for name, declared in self.settings(chosen).items()
        }


@dataclasses.dataclass(frozen=True)
class Family:
    """Systems that are configured, made and trained alike.

    Attributes:
        make_sections: Makes the sections of their configurations, in order: what can be entered
            under a name may have become more since.
        reads: What a system reads of a log: items, and providers, attributes or users.
        build: From a configuration and what is known of the log to a new, built model.
        check: Refuses what can't be trained, before anything is written.
        train: Trains a new model on a split, with a run directory for what it wants to keep, and
            for the number of epochs that it is given, where it has epochs, with the callbacks
            that it is given; returns the number of the best epoch.
        decide: From a configuration and a split to the settings, by option, that the configuration
            leaves to the data.
    """

    make_sections: Callable[[], tuple[Section, ...]]
    reads: Callable[["System"], tuple[str, ...]]
    build: Callable[..., Recommender]
    check: Callable[..., None]
    train: Callable[..., int | None]
    decide: Callable[..., dict[str, Any]] = lambda config, split: {}

    @property
    def sections(self) -> tuple[Section, ...]:
        """Of the configurations, in order."""
        return self.make_sections()


@dataclasses.dataclass(frozen=True)
class System:
    """A model by name.

    Attributes:
        name: Its name.
        summary: What it is, in one line.
        paper: Where it is from.
        family: How it is made.
        settings: What it sets otherwise than the parts do by themselves, by option.

    Example: a system of one's own, which is one more name for `make_config` and ``--model``.
    >>> from tf_iclrec import SYSTEMS, make_config
    >>> sasrec = SYSTEMS["sasrec"]
    >>> SYSTEMS["narrow"] = dataclasses.replace(
    ...     sasrec, name="narrow", settings={**sasrec.settings, "hidden_dim": 32})
    >>> make_config("sasrec").encoder.hidden_dim, make_config("narrow").encoder.hidden_dim
    (256, 32)
    >>> del SYSTEMS["narrow"]
    """

    name: str
    summary: str
    paper: str
    family: Family
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
