"""The range of a setting is declared once and holds in Python, too."""

import inspect

import keras
import numpy as np
import pytest

from tf_iclrec import (
    ENCODERS,
    SYSTEMS,
    IntentContrast,
    SelfAttentiveEncoder,
    SoftmaxCrossEntropy,
    UserError,
    ViewRatios,
)
from tf_iclrec.settings import settings_of


def below_their_ranges():
    """Parts of the library that declare ranges, with a setting and a value below its range."""
    families = {system.family for system in SYSTEMS.values()}
    sections = [section for family in families for section in family.sections]
    chosen = [part for one in sections for part in one.alternatives.values() or one.parts]
    parts = {part for one in chosen for part in (one if isinstance(one, tuple) else (one,))}
    for part in sorted(parts, key=lambda part: part.__qualname__):
        for name, declared in settings_of(part).items():
            setting = declared.setting
            least = setting.above if setting.at_least is None else setting.at_least
            if least is not None and part.__module__.startswith("tf_iclrec."):
                yield pytest.param(part, name, least - 1, id=f"{part.__qualname__}-{name}")


def required(part):
    """A number for each argument that a part or its bases can't do without."""
    owners = part.__mro__ if inspect.isclass(part) else ()
    makers = [vars(owner)["__init__"] for owner in owners if "__init__" in vars(owner)] or [part]
    return {
        name: 9
        for make in makers
        for name, one in inspect.signature(make).parameters.items()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD and name != "self"
    }


@pytest.mark.parametrize(("part", "name", "value"), list(below_their_ranges()))
def test_each_part_refuses_what_its_option_refuses(part, name, value):
    with pytest.raises(UserError, match=rf"^{name} must be .*, not {value:g}"):
        part(**required(part) | {name: value})


def test_given_by_place_or_by_name():
    for make in (
        lambda: SelfAttentiveEncoder(9, 0),
        lambda: SelfAttentiveEncoder(9, max_length=0),
        lambda: SelfAttentiveEncoder(9, max_length=np.int64(0)),
    ):
        with pytest.raises(UserError, match=r"^max_length must be at least 1, not 0"):
            make()
    with pytest.raises(UserError, match=r"^crop must be at least 0 and at most 1, not 2"):
        ViewRatios(2.0)
    with pytest.raises(UserError, match=r"^horizon can't be 1\.5: int expected"):
        SoftmaxCrossEntropy(horizon=1.5)


def test_one_list_of_arguments_hides_no_other():
    contrast = IntentContrast(0.1, 0.5, views="dropout")
    assert (contrast.weight, contrast.temperature, contrast.views) == (0.1, 0.5, "dropout")


def test_too_many_arguments_are_the_parts_own_error():
    with pytest.raises(TypeError, match=r"ViewRatios\.__init__\(\).*6 were given"):
        ViewRatios(0.1, 0.1, 0.1, False, 3)


def test_keras_and_help_see_the_parameters():
    assert list(inspect.signature(ENCODERS["gru"]).parameters)[-2:] == ["gru_dim", "kwargs"]
    encoder = SelfAttentiveEncoder(9, max_length=4, hidden_dim=8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    assert again.get_config() == encoder.get_config()
