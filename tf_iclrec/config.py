"""The settings of a run: those of the parts that its model is made of, and no others.

A configuration is a tree: sections, such as the encoder's, and in each the settings that its part
declares (`tf_iclrec.settings`). The option of a setting has no path: ``--hidden-dim``.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.data.prepared import is_prepared, noted
from tf_iclrec.errors import UnknownNameError, UserError, nearest
from tf_iclrec.options import (
    Options,
    all_sections,
    check_known,
    deciding_options,
    marked,
    options_of,
    places,
    resolved,
    why_misplaced,
    why_unread,
    with_values_apart,
)
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.systems.registry import DEFAULT_SYSTEM, SYSTEMS
from tf_iclrec.systems.system import CHOICE, System, Tree


class Values(Mapping):
    """The settings of a section, by parameter; also as attributes, but for ``items``, which is a
    method of mappings."""

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
    (5, 256)
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
        if key.startswith("_"):  # Asked for while it is copied, before there is anything here.
            raise AttributeError(key)
        if key not in self._sections:
            raise AttributeError(f"The configuration of {self.model} has no section {key!r}.")
        return self._sections[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self.to_dict() == other.to_dict()

    __hash__ = None

    def __repr__(self) -> str:
        return f"Config({self.to_dict()!r})"

    def to_dict(self) -> dict[str, Any]:
        """The model and the sections, as they stand in ``config.json``.

        Example:
        >>> make_config(model="sasrec", epochs=5).to_dict()["training"]["epochs"]
        5
        """
        return {"model": self.model} | {key: dict(values) for key, values in self.items()}

    def to_json(self) -> str:
        """The settings as indented JSON."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Config":
        """The configuration of which `to_dict` gave this; what is not there is as `make_config` has
        it.

        Raises:
            UserError: See `make_config`; also if a setting stands in another section than its own.

        Example:
        >>> config = Config.from_dict({"model": "sasrec", "training": {"epochs": 5}})
        >>> config == make_config(model="sasrec", epochs=5)
        True
        """
        model, settings = settings_in(tree, "The configuration")
        return resolve(model or DEFAULT_SYSTEM, {}, settings)

    def replace(self, **settings: Any) -> "Config":
        """The same configuration with other values of some settings.

        Args:
            **settings: As for `make_config`.

        Raises:
            UserError: See `make_config`.

        Example:
        >>> config = make_config(model="sasrec", epochs=5)
        >>> config.replace(seed=1) == make_config(model="sasrec", epochs=5, seed=1)
        True
        """
        return resolve(self.model, settings, self.options()) if settings else self

    def options(self, *keys: str) -> dict[str, Any]:
        """Every setting by the name of its option, or those of some sections.

        Example:
        >>> make_config(model="transitions").options("evaluation")
        {'filter_seen': True, 'evaluation_users': 100000}
        """
        found: dict[str, Any] = {}
        for key in keys or self:
            names = options_of(self.model, key, self[key])
            found |= {names[name]: value for name, value in self[key].items()}
        return found


def make_config(model: str | None = None, **settings: Any) -> Config:
    """The configuration of a system, and deviations from it.

    Args:
        model: Name of the system. Defaults to `DEFAULT_SYSTEM`; with ``init_from=RUN`` to that of
            the run, whose settings are the defaults then.
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
    source = settings.get("data", ())
    if not isinstance(source, str | os.PathLike | list | tuple):
        raise UserError(
            f"data names files, and a {type(source).__name__} is none: give "
            "fit(..., interactions=load_interactions(...)) a table."
        )
    file_model, file = settings_to_start_from(settings.get("init_from") or "", source)
    return resolve(model or file_model or DEFAULT_SYSTEM, settings, file, file_model)


def settings_to_start_from(
    path: str | Path, source: str | Sequence[str] = ()
) -> tuple[str | None, dict[str, Any]]:
    """The settings of a run that a newer one takes over, as `settings_of_run` gives them: all but
    the dates between which its data were used.

    Args:
        path: The run directory; ``""``: nothing is taken over.
        source: The newer data, if they are others. Where they are raw and those of the run had been
            prepared, they are read as those were.

    Raises:
        UserError: See `settings_of_run`.
    """
    model, settings = settings_of_run(path)
    # It is there for what has come since.
    own = marked("of_one_run")
    settings = {name: value for name, value in settings.items() if name not in own}
    names = [source] if isinstance(source, str | os.PathLike) else [*source]
    if settings and any(names) and not is_prepared(names[0]):
        before, known = noted(RunDirectory(Path(path)).data, "how_read") or {}, places()
        settings |= {name: value for name, value in before.items() if name in known}
    return model, settings


def settings_of_run(path: str | Path) -> tuple[str | None, dict[str, Any]]:
    """What `read_settings` finds in a run directory; nothing for ``""``.

    Raises:
        UserError: If the folder holds no run of this version's format.
    """
    if not path:
        return None, {}
    directory = RunDirectory(Path(path))
    directory.check_readable()
    try:
        model, settings = read_settings(directory.config)
        resolve(model or DEFAULT_SYSTEM, {}, settings)
    except UnknownNameError as error:
        raise UserError(
            f"{error} If the run has a part of your own, import its module first: --import MODULE."
        ) from error
    return model, settings


def resolve(
    model: str, given: Options, file: Options | None = None, file_model: str | None = None
) -> Config:
    """A configuration from several sources.

    Args:
        model: Name of the system.
        given: Settings by option, that win over all others. Each must be read.
        file: Further ones.
        file_model: The model that the file is of, if it says so. Where it is another one, what the
            file has otherwise than its model by itself counts, but for what makes the difference
            between the two systems; and what is not read is left out.

    Raises:
        UserError: See `make_config`.
    """
    system, given, file = _system(model), with_values_apart(given), with_values_apart(file or {})
    check_known((*given, *file, *system.settings))
    of_another = file_model not in (None, model)
    if of_another:
        own, other = system.settings, _system(file_model).settings
        unchanged = make_config(file_model).options()
        file = {
            name: value
            for name, value in resolve(file_model, {}, file).options().items()
            if unchanged.get(name) != value and own.get(name) == other.get(name)
        }
    tree, read = resolved(system.family.sections, [given, file, system.settings])
    must_be_read = dict(given)
    if not of_another and not deciding_options() & set(given):
        must_be_read |= file
    for option in must_be_read:
        if option not in read:
            raise UserError(why_unread(model, option, given))
    return Config(model, tree)


def _system(model: str) -> System:
    if not isinstance(model, str) or model not in SYSTEMS:
        raise UnknownNameError(f"Unknown model {model!r}: {nearest(str(model), SYSTEMS)}")
    return SYSTEMS[model]


def read_settings(path: str | Path) -> tuple[str | None, dict[str, Any]]:
    """Read settings from a JSON file, such as the ``config.json`` of a run.

    Returns:
        The model, if it is named, and the settings by option.

    Raises:
        UserError: If the file can't be read, the model, a section or a setting is unknown, or a
            setting stands in another section than its own.
    """
    try:
        tree = json.loads(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{path} must hold a JSON object of settings.")
    return settings_in(tree, str(path))


def settings_in(tree: Mapping[str, Any], path: str) -> tuple[str | None, dict[str, Any]]:
    """The settings that stand in a tree of sections.

    Args:
        tree: As `Config.to_dict` gives it.
        path: How messages call it.

    Returns:
        The model, if it is named, and the settings by option.

    Raises:
        UserError: See `read_settings`.
    """
    tree, settings = dict(tree), {}
    model = tree.pop("model", None)
    if model is not None:
        _system(model)
    keys = {section.key for section in all_sections()}
    for key, values in tree.items():
        if key not in keys:
            raise UnknownNameError(f"{path}: {why_misplaced(key, None)}")
        if not isinstance(values, Mapping):
            raise UserError(f"{path}: {key!r} must hold a JSON object of settings.")
        options = options_of(model or DEFAULT_SYSTEM, key, values)
        for name, value in values.items():
            if name not in options:
                raise UnknownNameError(f"{path}: {why_misplaced(name, key)}")
            option = options[name]
            if settings.setdefault(option, value) != value:
                raise UserError(
                    f"{path}: {name!r} in {key!r} contradicts another section: {option} is one "
                    "setting for all."
                )
    return model, settings
