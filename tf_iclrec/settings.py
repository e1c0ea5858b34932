"""Settings are declared where they are read: in the signature of the part that takes them.

A part is a class or function. A parameter that people may set is annotated with a `Setting`, which
adds its help and range to the type and default that the signature has anyway::

    def __init__(self, units: Annotated[int, Setting("width of the states", at_least=1)] = 64): ...

From there come the option of the command, its line of help, its check and its place in a run's
``config.json``. Parameters without a `Setting` are not set by people. With `checked` above it, the
part refuses other values from Python too.
"""

import dataclasses
import functools
import inspect
import math
import os
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from tf_iclrec.errors import UserError

Part = Callable[..., Any]
_Checked = TypeVar("_Checked", bound=Part)
# A value that is left to the data.
AUTO = "auto"
_KINDS = (bool, int, float, str)
_PLAIN = (bool, int, float, str, list, tuple, np.generic)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a signature does not say of a setting.

    Attributes:
        help: What it does, in a few words.
        at_least: The least value.
        above: What the value must exceed.
        at_most: The greatest value.
        below: What the value must stay below.
        option: Name of the option. ``{}`` stands for the name that it would have had: that of the
            part's section and that of the parameter. Defaults to just that.
        after_colon: Whether this is the value in ``NAME:VALUE``, where the part is chosen by name.
        auto: Whether `AUTO` may stand for the value: the data decide.
        of_one_run: Whether a run that starts from another one does not take it over.
        may_change: Whether a run that is continued may have another value.

    Example: a part of one's own says what its setting may be; its option follows.
    >>> from typing import Annotated
    >>> def smooth(window: Annotated[int, Setting("items averaged", at_least=1)] = 3): ...
    >>> declared = settings_of(smooth)["window"]
    >>> declared.option("smooth_"), declared.default
    ('smooth_window', 3)
    >>> declared.checked(0, "the window")
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: the window must be at least 1, not 0.
    """

    help: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    option: str | None = None
    after_colon: bool = False
    auto: bool = False
    of_one_run: bool = False
    may_change: bool = False

    def rule(self) -> str:
        """The range in words.

        Example:
        >>> Setting("share", at_least=0, below=1).rule()
        'at least 0 and below 1'
        """
        words = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
        bounds = {word: getattr(self, name) for name, word in words.items()}
        return " and ".join(f"{word} {x:.10g}" for word, x in bounds.items() if x is not None)

    def allows(self, value: float) -> bool:
        """Whether a number is in the range; NaN and infinity are in none.

        Example:
        >>> share = Setting("share", at_least=0, below=1)
        >>> [share.allows(value) for value in (0, 0.5, 1, float("nan"))]
        [True, True, False, False]
        >>> Setting("rate", above=0).allows(float("inf"))
        False
        """
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        ) and math.isfinite(value)


@dataclasses.dataclass(frozen=True)
class Declared:
    """A setting as its part declares it.

    Attributes:
        name: The parameter.
        kind: ``int``, ``float``, ``bool``, ``str``, or a tuple such as ``tuple[int, ...]``.
        default: The parameter's default.
        choices: The values that there are, if they are few words.
        setting: Help, range and option.
    """

    name: str
    kind: Any
    default: Any
    choices: tuple[str, ...]
    setting: Setting

    @property
    def is_tuple(self) -> bool:
        return isinstance(self.kind, types.GenericAlias)

    @property
    def part_kind(self) -> type:
        """What a value is made of, where it is a tuple; otherwise what it is."""
        return self.kind.__args__[0] if self.is_tuple else self.kind

    def option(self, prefix: str) -> str:
        """Name of the option in a section with this prefix."""
        return (self.setting.option or "{}" + self.name).format(prefix)

    def checked(self, value: Any, shown: str) -> Any:
        """The value in the setting's type.

        Args:
            value: As given in Python or read from JSON.
            shown: How to name the setting in an error.

        Raises:
            UserError: If it has another type or is out of range.
        """
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if self.setting.auto and value in (AUTO, (AUTO,), [AUTO]):
            return AUTO
        if self.is_tuple:
            parts = value if isinstance(value, list | tuple) else (value,)
            if not parts:
                raise UserError(f"{shown} can't be empty: one value or several expected.")
            return tuple(self._checked_one(self.part_kind, part, shown) for part in parts)
        return self._checked_one(self.kind, value, shown)

    def _checked_one(self, kind: type, value: Any, shown: str) -> Any:
        # Loops over settings give numbers of NumPy, and paths.
        if isinstance(value, np.generic):
            value = value.item()
        if kind is str and isinstance(value, os.PathLike):
            value = os.fspath(value)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            expected = kind.__name__ + " or auto" * self.setting.auto
            raise UserError(f"{shown} can't be {value!r}: {expected} expected.")
        if self.choices and value not in self.choices:
            raise UserError(f"{shown} must be one of {', '.join(self.choices)}, not {value}.")
        if kind in (int, float) and not self.setting.allows(value):
            rule = self.setting.rule() or "a finite number"
            raise UserError(f"{shown} must be {rule}, not {value}.")
        return value


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, of Python or NumPy; True and False are none.

    Example:
    >>> is_whole(3), is_whole(np.int64(3)), is_whole(3.0), is_whole(True)
    (True, True, False, False)
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@functools.cache
def settings_of(part: Part) -> Mapping[str, Declared]:
    """The settings that a class or function declares, by parameter.

    What a class hands on as ``**kwargs`` belongs to its base, whose settings come first. One
    that it takes itself, without a `Setting`, is its base's with another default.

    Raises:
        UserError: If one is of another type than settings have, or has no default.

    Example:
    >>> from typing import Annotated
    >>> class Base:
    ...     def __init__(self, width: Annotated[int, Setting("width", at_least=1)] = 8): ...
    >>> class Deep(Base):
    ...     def __init__(self, depth: Annotated[int, Setting("layers")] = 2, **kwargs): ...
    >>> [(one.name, one.default) for one in settings_of(Deep).values()]
    [('width', 8), ('depth', 2)]
    """
    functions = [part]
    if inspect.isclass(part):
        functions = []
        for owner in part.__mro__:
            if "__init__" not in vars(owner):
                continue
            functions.append(owner.__init__)
            kinds = [one.kind for one in inspect.signature(owner.__init__).parameters.values()]
            if inspect.Parameter.VAR_KEYWORD not in kinds:
                break
    found: dict[str, Declared] = {}
    for function in reversed(functions):
        # Of a part with some settings given, the rest are still its own.
        declaring = function.func if isinstance(function, functools.partial) else function
        hints = typing.get_type_hints(declaring, include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            declared = _declared(name, hints.get(name), parameter.default)
            if declared:
                found[name] = declared
            elif name in found and parameter.default is not parameter.empty:
                found[name] = dataclasses.replace(found[name], default=parameter.default)
    return types.MappingProxyType(found)


def checked(part: _Checked) -> _Checked:
    """The same function or class, which refuses values that its own settings don't allow.

    Only numbers, texts and truth values are looked at, and lists of them: what else a caller may
    hand over, such as a schedule in place of a learning rate, is the part's to judge.

    Args:
        part: A function, ``__init__`` among them, or a dataclass.

    Example:
    >>> from typing import Annotated
    >>> @checked
    ... def smooth(window: Annotated[int, Setting("items averaged", at_least=1)] = 3): ...
    >>> smooth(0)
    Traceback (most recent call last):
    tf_iclrec.errors.UserError: window must be at least 1, not 0.
    """
    if inspect.isclass(part):
        part.__init__ = checked(part.__init__)
        return part
    signature = inspect.signature(part)
    by_place = [
        name
        for name, one in signature.parameters.items()
        if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]

    @functools.wraps(part)
    def refusing(*args, **kwargs):
        # Too few or too many: the part says so itself.
        given = dict(zip(by_place, args, strict=False)) | kwargs
        for name, declared in settings_of(part).items():
            if isinstance(given.get(name), _PLAIN):
                declared.checked(given[name], name)
        return part(*args, **kwargs)

    # Keras asks layers for it without a look at what is wrapped.
    refusing.__signature__ = signature
    return refusing


def _declared(name: str, hint: Any, default: Any) -> Declared | None:
    for setting in getattr(hint, "__metadata__", ()):
        if isinstance(setting, Setting):
            kind, choices = hint.__origin__, ()
            if typing.get_origin(kind) is typing.Literal:
                kind, choices = str, typing.get_args(kind)
            _check_kind(name, kind, choices, default)
            return Declared(name, kind, default, choices, setting)
    return None


def _check_kind(name: str, kind: Any, choices: tuple[Any, ...], default: Any) -> None:
    of_several = isinstance(kind, types.GenericAlias) and kind.__args__[0] in _KINDS
    if not (of_several or kind in _KINDS) or any(type(one) is not str for one in choices):
        raise UserError(
            f"The setting {name!r} of a part is a {choices or kind}, and can be "
            "bool, int, float, str, tuple[int, ...] and the like, or a Literal of texts."
        )
    if default is inspect.Parameter.empty:
        raise UserError(f"The setting {name!r} of a part has no default, and needs one.")
