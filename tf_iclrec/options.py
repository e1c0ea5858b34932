"""Which settings there are in all systems, where each belongs, and who reads it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tf_iclrec.errors import UnknownNameError, UserError, nearest
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.system import CHOICE, Section, System, Tree

# Values by option.
Options = Mapping[str, Any]


class Place(NamedTuple):
    """Where a setting stands in a configuration: its section and its name there."""

    section: Section
    name: str


def all_sections() -> list[Section]:
    """The sections of all systems, each once.

    Raises:
        UserError: If something else than a system has been entered in `SYSTEMS`.
    """
    for name, system in SYSTEMS.items():
        if not isinstance(system, System):
            raise UserError(
                f"tf_iclrec.SYSTEMS[{name!r}] is {system!r}, and must be a tf_iclrec.System."
            )
    families = dict.fromkeys(system.family for system in SYSTEMS.values())
    found = {id(section): section for family in families for section in family.sections}
    return list(found.values())


def places() -> dict[str, list[Place]]:
    """The settings that each option sets: several, where alternatives or sections share it."""
    found: dict[str, list[Place]] = {}
    for option, place in places_in(all_sections()):
        found.setdefault(option, []).append(place)
    return found


def places_in(sections: Iterable[Section]) -> Iterator[tuple[str, Place]]:
    """Every option of some sections with the setting that it sets."""
    for section in sections:
        if section.alternatives:
            yield section.option, Place(section, CHOICE)
        for option, name in section.all_settings():
            yield option, Place(section, name)


def options_of(model: str, key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The options of the settings that can stand in a section of a file, by their names there.

    Where alternatives of the section call settings of their own alike, those of the chosen one
    count.

    Args:
        model: Name of the system that the file is for.
        key: The section.
        values: What stands in it.
    """
    found: dict[str, str] = {}
    system = SYSTEMS[model]
    own = [section for section in system.family.sections if section.key == key]
    for section in [*(one for one in all_sections() if one.key == key), *own]:
        chosen = values.get(CHOICE, system.settings.get(section.option, section.default))
        if section.alternatives:
            found[CHOICE] = section.option
        for one in sorted(section.alternatives or ("",), key=lambda name: name == chosen):
            for name, declared in section.settings(one).items():
                found[name] = declared.option(section.prefix)
    return found


def deciding_options() -> set[str]:
    """Options on which it depends what else is read."""
    return {
        option
        for option, (section, name) in places_in(all_sections())
        if name in (CHOICE, section.switch)
    }


def marked(mark: str) -> set[str]:
    """Options whose `Setting` has a mark: ``"of_one_run"`` or ``"may_change"``."""
    return {
        option
        for section in all_sections()
        for (option, _), declared in section.all_settings().items()
        if getattr(declared.setting, mark)
    }


def resolved(sections: Sequence[Section], layers: Sequence[Options]) -> tuple[Tree, set[str]]:
    """The values of all settings that are read.

    Args:
        sections: Of a system.
        layers: Values, by falling precedence. What none of them has is the declared default.

    Returns:
        The values by section, and the options that were asked for.

    Raises:
        UserError: If a value is of another type or out of range.
    """
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
            if not isinstance(chosen, str) or chosen not in section.alternatives:
                known = nearest(str(chosen), section.alternatives)
                raise UnknownNameError(f"Unknown {section.option} {chosen!r}: {known}")
        for name, declared in section.settings(chosen).items():
            if section.switch and name != section.switch and not own[section.switch]:
                continue
            option = declared.option(section.prefix)
            # What has a switch is off until somebody turns it on.
            default = 0.0 if name == section.switch else declared.default
            own[name] = declared.checked(value(option, default), option)
    return tree, read


def with_values_apart(options: Options) -> dict[str, Any]:
    """Options in which ``NAME:VALUE`` of a choice stands as two: the choice, and the setting of the
    chosen part that is marked to follow a colon.

    Raises:
        UserError: If the part has no such setting, or the setting is given as well.

    Example:
    >>> with_values_apart({"split": "time:2017-06-01"})
    {'split': 'time', 'split_at': '2017-06-01'}
    """
    found = dict(options)
    for section in all_sections():
        chosen = found.get(section.option)
        if not section.alternatives or not isinstance(chosen, str) or ":" not in chosen:
            continue
        name, _, value = chosen.partition(":")
        found[section.option] = name
        if name not in section.alternatives:  # An error that is found later.
            continue
        marked = [one for one in section.settings(name).values() if one.setting.after_colon]
        if not marked:
            raise UserError(f"{flag(section.option)} {name} takes no value after a colon.")
        option = marked[0].option(section.prefix)
        with contextlib.suppress(ValueError):  # Said when all values are looked at.
            value = marked[0].kind(value)
        if found.setdefault(option, value) != value:
            raise UserError(f"{flag(option)} contradicts {flag(section.option)} {chosen}.")
    return found


def check_known(options: Iterable[str]) -> None:
    """Raise a UserError that names the nearest option, if one of these is none."""
    known = [*places(), "model"]
    for option in options:
        if option not in known:
            raise UserError(f"Unknown setting {option!r}: {nearest(option, known)}")


def why_unread(model: str, option: str, given: Options) -> str:
    """What to say of a setting that has no effect: which models read it, and what would make this
    one read it."""
    readers = [
        name
        for name, system in SYSTEMS.items()
        if option in resolved(system.family.sections, [system.settings])[1]
    ]
    message = f"The model {model} does not read {option}"
    if deciding_options() & set(given):
        message += " with these choices"
    if readers:
        message += f". Models that do: {', '.join(readers)}"
    ways = [
        way
        for place in places()[option]
        if place.section in SYSTEMS[model].family.sections
        for way in _ways_to_read(option, place)
    ]
    if ways:
        message += f"{'; or' if readers else ':'} choose {' or '.join(ways)}"
    return message + "."


def _ways_to_read(option: str, place: Place) -> list[str]:
    """Options, as they are typed, with which the setting of an option is read."""
    section, name = place
    if section.alternatives:
        return [
            f"{flag(section.option)} {alternative}"
            for alternative in section.alternatives
            if name in (settings := section.settings(alternative))
            and settings[name].option(section.prefix) == option
        ]
    if section.switch:
        declared = section.settings()[section.switch]
        return [f"{flag(declared.option(section.prefix))} above 0"]
    return []


def why_misplaced(name: str, key: str | None) -> str:
    """What to say of a setting in a section (None: in none) of a file that has no such setting."""
    where = "at the top" if key is None else f"in {key!r}"
    owners = dict.fromkeys(
        repr(one.section.key) for _, one in places_in(all_sections()) if one.name == name
    )
    if owners and name != CHOICE:
        return f"{name!r} does not belong {where}: it belongs in {' or '.join(owners)}."
    if name in places():
        section, own = places()[name][0]
        return f"{name!r} does not belong {where}: it is called {own!r} in {section.key!r}."
    known = {
        one.section.key if key is None else one.name
        for _, one in places_in(all_sections())
        if key in (None, one.section.key)
    }
    return f"unknown setting {name!r} {where}: {nearest(name, known)}"


def flag(option: str) -> str:
    """An option as it is typed.

    Example:
    >>> flag("hidden_dim")
    '--hidden-dim'
    """
    return "--" + option.replace("_", "-")
