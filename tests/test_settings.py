import dataclasses
import functools
from typing import Annotated, Literal

import pytest

from tf_iclrec.errors import UserError
from tf_iclrec.settings import AUTO, Setting, settings_of


class Base:
    def __init__(
        self,
        size,
        width: Annotated[int, Setting("width of all", at_least=1)] = 8,
        share: Annotated[float, Setting("dropped", at_least=0, below=1)] = 0.5,
        private: int = 3,
        **kwargs,
    ): ...


class Deep(Base):
    def __init__(
        self,
        *args,
        depth: Annotated[int, Setting("layers", above=1, at_most=9)] = 2,
        share: Annotated[float, Setting("dropped at each layer", at_least=0, below=1)] = 0.1,
        **kwargs,
    ): ...


class Same(Deep):
    """With the constructor of its base."""


class Alone(Base):
    """Hands nothing on."""

    def __init__(self, names: Annotated[tuple[int, ...], Setting("numbers", at_least=1)] = (4,)):
        super().__init__(1)


@dataclasses.dataclass
class Record:
    kind: Annotated[Literal["red", "green"], Setting("colour", option="colour_of_{}it")] = "red"
    on: Annotated[bool, Setting("whether it shines", option="{}shining")] = False
    label: str = ""


def function(
    log, name: Annotated[str, Setting("what it is called")] = "it", count: int = 2, **others
): ...


def named(part):
    return {name: one.default for name, one in settings_of(part).items()}


def test_what_is_given_already_is_the_default():
    assert named(functools.partial(function, name="that")) == {"name": "that"}


def test_annotated_parameters_are_settings_and_no_others():
    assert named(Base) == {"width": 8, "share": 0.5}
    assert named(Record) == {"kind": "red", "on": False}
    assert named(function) == {"name": "it"}


def test_what_is_handed_on_belongs_to_the_base_and_comes_first():
    assert named(Deep) == {"width": 8, "share": 0.1, "depth": 2}
    assert settings_of(Deep)["share"].setting.help == "dropped at each layer"
    assert named(Same) == named(Deep)


def test_a_constructor_that_hands_nothing_on_has_its_own_only():
    assert named(Alone) == {"names": (4,)}


def test_types_and_choices_are_those_of_the_annotation():
    kinds = {name: one.kind for name, one in settings_of(Deep).items()}
    assert kinds == {"width": int, "share": float, "depth": int}
    record = settings_of(Record)
    assert (record["kind"].kind, record["kind"].choices) == (str, ("red", "green"))
    assert (record["on"].kind, record["on"].choices) == (bool, ())
    assert settings_of(Alone)["names"].is_tuple
    assert not settings_of(Base)["width"].is_tuple


def test_settings_can_not_be_changed_for_everyone():
    with pytest.raises(TypeError):
        settings_of(Base)["width"] = None


@pytest.mark.parametrize(
    ("part", "name", "prefix", "option"),
    [
        (Base, "width", "", "width"),
        (Base, "width", "intent_", "intent_width"),
        (Record, "on", "intent_", "intent_shining"),
        (Record, "on", "", "shining"),
        (Record, "kind", "intent_", "colour_of_intent_it"),
    ],
)
def test_an_option_is_named_by_the_section_and_the_parameter(part, name, prefix, option):
    assert settings_of(part)[name].option(prefix) == option


@pytest.mark.parametrize(
    ("bounds", "rule", "inside", "outside"),
    [
        ({"at_least": 1}, "at least 1", [1, 2, 1e9], [0, -1, 0.5]),
        ({"above": 0}, "above 0", [1e-9, 1], [0, -1]),
        ({"at_least": 0, "below": 1}, "at least 0 and below 1", [0, 0.99], [1, -0.1]),
        ({"at_least": 0, "at_most": 1}, "at least 0 and at most 1", [0, 1], [1.01, -0.1]),
        ({"above": 0, "below": 0.5}, "above 0 and below 0.5", [0.25], [0, 0.5]),
        ({}, "", [0, -5, 1e30], []),
    ],
)
def test_a_range_in_words_and_in_deed(bounds, rule, inside, outside):
    setting = Setting("share", **bounds)
    assert setting.rule() == rule
    assert all(setting.allows(value) for value in inside)
    assert not any(setting.allows(value) for value in outside)
    assert not any(setting.allows(float(value)) for value in ("nan", "inf", "-inf"))


@pytest.mark.parametrize(
    ("part", "name", "value", "expected"),
    [
        (Base, "width", 3, 3),
        (Base, "share", 0, 0.0),
        (Base, "share", 0.25, 0.25),
        (Record, "on", True, True),
        (Record, "kind", "green", "green"),
        (function, "name", "", ""),
        (Alone, "names", [3, 5], (3, 5)),
        (Alone, "names", (3,), (3,)),
    ],
)
def test_a_value_is_checked_and_given_its_type(part, name, value, expected):
    checked = settings_of(part)[name].checked(value, name)
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        (Base, "width", 0, r"it must be at least 1, not 0\."),
        (Base, "width", 2.0, r"it can't be 2\.0: int expected\."),
        (Base, "width", True, r"it can't be True: int expected\."),
        (Base, "width", None, r"it can't be None: int expected\."),
        (Base, "share", 1, r"it must be at least 0 and below 1, not 1\.0\."),
        (Base, "share", "0.5", r"it can't be '0\.5': float expected\."),
        (Base, "share", False, r"it can't be False: float expected\."),
        (Record, "on", 1, r"it can't be 1: bool expected\."),
        (Record, "kind", "blue", r"it must be one of red, green, not blue\."),
        (Record, "kind", 3, r"it can't be 3: str expected\."),
        (function, "name", 3, r"it can't be 3: str expected\."),
        (Alone, "names", [], r"it can't be empty: one value or several expected\."),
        (Alone, "names", "12", r"it can't be '12': int expected\."),
        (Alone, "names", [1, 2.5], r"it can't be 2\.5: int expected\."),
        (Alone, "names", [1, 0], r"it must be at least 1, not 0\."),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused(part, name, value, message):
    with pytest.raises(ValueError, match=message):
        settings_of(part)[name].checked(value, "it")


def test_one_value_does_where_several_are_expected():
    (declared,) = settings_of(Alone).values()
    assert declared.checked(3, "it") == declared.checked([3], "it") == (3,)


def test_a_value_can_be_left_to_the_data_where_that_is_said():
    def part(numbers: Annotated[tuple[int, ...], Setting("numbers", auto=True)] = (4,)): ...

    declared = settings_of(part)["numbers"]
    for value in (AUTO, (AUTO,), [AUTO]):
        assert declared.checked(value, "it") == AUTO
    assert declared.checked(3, "it") == (3,)
    for value in ((AUTO, 3), "many"):
        with pytest.raises(ValueError, match="int or auto expected"):
            declared.checked(value, "it")
    with pytest.raises(ValueError, match="'auto': int expected"):
        settings_of(Alone)["names"].checked(AUTO, "it")


def test_a_default_of_ones_own_counts_without_its_help():
    """The base's was handed over in its place: trained with another value than the class says."""

    class Base:
        def __init__(self, width: Annotated[int, Setting("width", at_least=1)] = 8): ...

    class Narrow(Base):
        def __init__(self, width=2, **kwargs):
            super().__init__(width, **kwargs)

    class Narrower(Narrow):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

    for kind in (Narrow, Narrower):
        declared = settings_of(kind)["width"]
        assert (declared.default, declared.setting.at_least) == (2, 1)
    assert settings_of(Base)["width"].default == 8


@pytest.mark.parametrize("kind", [int | None, float | str, dict, tuple, Literal[1, 2]])
def test_what_no_option_can_be_is_told(kind):
    def part(own: Annotated[kind, Setting("something")] = 1): ...

    with pytest.raises(UserError, match=r"^The setting 'own' of a part is .* can be bool, int"):
        settings_of(part)


def test_a_setting_has_a_default():
    def part(own: Annotated[int, Setting("something")]): ...

    with pytest.raises(UserError, match=r"^The setting 'own' of a part has no default"):
        settings_of(part)
