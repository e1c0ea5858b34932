"""The settings of a run: those of the parts that its model is made of, and no others.

A configuration is a tree: sections, such as the encoder's, and in each the settings that its part
declares (`tf_iclrec.settings`). The option of a setting has no path: ``--hidden-dim``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.errors import UserError, nearest
from tf_iclrec.settings import Declared
from tf_iclrec.systems.registry import DEFAULT_SYSTEM, SYSTEMS
from tf_iclrec.systems.system import CHOICE, Section, Tree

Options = Mapping[str, Any]


class Values(Mapping):
    """The settings of a section, by parameter; also as attributes."""

    def __init__(self, values: Mapping[str, Any]):
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"There is no setting {name!r} here.")
        return self._values[name]

    def __repr__(self) -> str:
        return repr(self._values)

    @property
    def arguments(self) -> dict[str, Any]:
        """The settings without the choice of the part that reads them."""
        return {name: value for name, value in self._values.items() if name != CHOICE}


class Config(Mapping):
    """Settings of a run, by section; made by `make_config`.

    Attributes:
        model: Name of the system.

    Example:
    >>> config = make_config(model="sasrec", epochs=5)
    >>> config.training.epochs, config["encoder"]["hidden_dim"]
    (5, 128)
    """

    def __init__(self, model: str, tree: Tree):
        self.model = model
        self._sections = {key: Values(values) for key, values in tree.items()}

    def __getitem__(self, key: str) -> Values:
        return self._sections[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)

    def __getattr__(self, key: str) -> Values:
        if key.startswith("_") or key not in self._sections:
            raise AttributeError(f"The configuration of {self.model} has no section {key!r}.")
        return self._sections[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.to_dict() == other.to_dict()

    __hash__ = None

    def __repr__(self) -> str:
        return f"Config({self.to_dict()!r})"

    def to_dict(self) -> dict[str, Any]:
        """The model and the sections, as they stand in ``config.json``."""
        return {"model": self.model} | {key: dict(values) for key, values in self.items()}

    def to_json(self) -> str:
        """The settings as indented JSON."""
        return json.dumps(self.to_dict(), indent=2)

    def options(self) -> dict[str, Any]:
        """Every setting by the name of its option."""
        found: dict[str, Any] = {}
        for section, name, declared in _declared_in(SYSTEMS[self.model].family.sections):
            if name in self.get(section.key, {}):
                found[option_of(section, name, declared)] = self[section.key][name]
        return found


def make_config(model: str = DEFAULT_SYSTEM, **settings: Any) -> Config:
    """The configuration of a system, and deviations from it.

    Args:
        model: Name of the system.
        **settings: Settings by the names of their options, with ``_`` for ``-``. What is given
            here wins over the system's own settings, and those over the parts' defaults.

    Raises:
        UserError: If a name is unknown, not read by this model, or a value out of range.

    Example:
    >>> make_config(model="sasrec").intent_contrast.weight
    0.0
    >>> make_config(modle="sasrec")
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: Unknown setting 'modle': did you mean 'model'?
    """
    return resolve(model, settings)


def resolve(model: str, given: Options, file: Options | None = None, preset_wins: bool = False):
    """A configuration from several sources.

    Args:
        model: Name of the system.
        given: Settings by option, that win over all others. Each must be read.
        file: Further ones.
        preset_wins: Whether the system's own settings win over those of the file.

    Raises:
        UserError: See `make_config`.
    """
    if model not in SYSTEMS:
        raise UserError(f"Unknown model {model!r}: {nearest(model, SYSTEMS)}")
    system, file = SYSTEMS[model], file or {}
    for option in (*given, *file):
        _check_known(option)
    layers = [given, system.settings, file] if preset_wins else [given, file, system.settings]
    tree, read = _resolved(system.family.sections, layers)
    must_be_read = dict(given)
    if not preset_wins and not _choices() & set(given):
        must_be_read |= file
    for option in must_be_read:
        if option not in read:
            raise UserError(_unread(model, option, given))
    return Config(model, tree)


def read_settings(path: str | Path) -> tuple[str | None, dict[str, Any]]:
    """Read settings from a JSON file, such as the ``config.json`` of a run.

    Returns:
        The model, if it is named, and the settings by option.

    Raises:
        UserError: If the file can't be read, a section or setting is unknown, or a setting stands
            in another section than its own.
    """
    try:
        tree = json.loads(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{path} must hold a JSON object of settings.")
    settings: dict[str, Any] = {}
    model = tree.pop("model", None)
    places = _places()
    keys = {section.key for sections in places.values() for section, _ in sections}
    for key, values in tree.items():
        if key not in keys:
            raise UserError(f"{path}: {_misplaced(key, None, keys)}")
        if not isinstance(values, dict):
            raise UserError(f"{path}: {key!r} must hold a JSON object of settings.")
        for name, value in values.items():
            option = next(
                (
                    option
                    for option, sections in places.items()
                    if any((section.key, own) == (key, name) for section, own in sections)
                ),
                None,
            )
            if option is None:
                raise UserError(f"{path}: {_misplaced(name, key, keys)}")
            settings[option] = value
    return model, settings


def option_of(section: Section, name: str, declared: Declared | None) -> str:
    """Name of the option of a setting, or of the choice among the alternatives of a section."""
    return section.option if declared is None else declared.option(section.prefix)


def all_sections() -> list[Section]:
    """The sections of all systems, each once."""
    found: dict[int, Section] = {}
    for system in SYSTEMS.values():
        found |= {id(section): section for section in system.family.sections}
    return list(found.values())


def _declared_in(sections: Sequence[Section]) -> Iterator[tuple[Section, str, Declared | None]]:
    """Every setting that there is in sections; the choice of an alternative has no declaration."""
    for section in sections:
        if section.alternatives:
            yield section, CHOICE, None
        for name, declared in section.all_settings().items():
            yield section, name, declared


def declared_options() -> dict[str, list[tuple[Section, Declared | None]]]:
    """Every option that there is, with the settings that it sets."""
    found: dict[str, list[tuple[Section, Declared | None]]] = {}
    for section, name, declared in _declared_in(all_sections()):
        found.setdefault(option_of(section, name, declared), []).append((section, declared))
    return found


def _places() -> dict[str, list[tuple[Section, str]]]:
    found: dict[str, list[tuple[Section, str]]] = {}
    for section, name, declared in _declared_in(all_sections()):
        found.setdefault(option_of(section, name, declared), []).append((section, name))
    return found


def _choices() -> set[str]:
    """Options that decide what else is read."""
    found = {section.option for section in all_sections() if section.option}
    for section, name, declared in _declared_in(all_sections()):
        if name == section.switch:
            found.add(option_of(section, name, declared))
    return found


def _resolved(sections: Sequence[Section], layers: Sequence[Options]) -> tuple[Tree, set[str]]:
    """Values of all settings that are read, and the options that set them."""
    tree: Tree = {}
    read: set[str] = set()

    def value(option: str, default: Any) -> Any:
        read.add(option)
        return next((layer[option] for layer in layers if option in layer), default)

    for section in sections:
        if not section.read_if(tree):
            continue
        own = tree[section.key] = {}
        chosen = ""
        if section.alternatives:
            chosen = own[CHOICE] = value(section.option, section.default)
            if chosen not in section.alternatives:
                raise UserError(
                    f"Unknown {section.option} {chosen!r}: {nearest(chosen, section.alternatives)}"
                )
        for name, declared in section.settings(chosen).items():
            if section.switch and name != section.switch and not own[section.switch]:
                continue
            option = option_of(section, name, declared)
            # What has a switch is off until somebody turns it on.
            default = 0.0 if name == section.switch else declared.default
            try:
                own[name] = declared.checked(value(option, default), option)
            except ValueError as error:
                raise UserError(str(error)) from error
    return tree, read


def _check_known(option: str) -> None:
    places = _places()
    if option not in places:
        known = [*places, "model"]
        raise UserError(f"Unknown setting {option!r}: {nearest(option, known)}")


def _unread(model: str, option: str, given: Options) -> str:
    """Why a setting has no effect, and what would read it."""
    readers = [
        name
        for name, system in SYSTEMS.items()
        if option in _resolved(system.family.sections, [system.settings])[1]
    ]
    message = f"The model {model} does not read {option}"
    if any(name in given for name in _choices()):
        message += " with these choices"
    if readers:
        message += f". Models that do: {', '.join(readers)}"
    ways = []
    for section, name in _places()[option]:
        owners = [
            alternative
            for alternative in section.alternatives
            if name in section.settings(alternative)
        ]
        if owners and section in SYSTEMS[model].family.sections:
            ways += [f"--{section.option.replace('_', '-')} {owner}" for owner in owners]
        elif section.switch and section in SYSTEMS[model].family.sections:
            switch = option_of(section, section.switch, section.settings()[section.switch])
            ways.append(f"--{switch.replace('_', '-')} above 0")
    if ways:
        message += f"; or choose {' or '.join(ways)}"
    return message + "."


def _misplaced(name: str, key: str | None, keys: set[str]) -> str:
    places = {own: section.key for section, own, _ in _declared_in(all_sections()) if own != CHOICE}
    options = {
        option: sections[0] for option, sections in _places().items() if sections[0][1] != CHOICE
    }
    place = "at the top" if key is None else f"in {key!r}"
    if name in places:
        return f"{name!r} does not belong {place}: it belongs in {places[name]!r}."
    if name in options:
        section, own = options[name]
        return f"{name!r} does not belong {place}: it is called {own!r} in {section.key!r}."
    known = (
        keys
        if key is None
        else {own for section, own, _ in _declared_in(all_sections()) if section.key == key}
    )
    return f"unknown setting {name!r} {place}: {nearest(name, known)}"
