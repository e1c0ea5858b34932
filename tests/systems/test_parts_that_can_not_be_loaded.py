"""Said before a training, not when its run is read."""

import dataclasses
from typing import Annotated

import keras
import numpy as np
import pytest

import tf_iclrec
from tf_iclrec import (
    ENCODERS,
    Catalogue,
    Contrast,
    SelfAttentiveEncoder,
    SequenceContrast,
    SoftmaxCrossEntropy,
    UserError,
    build_model,
    make_config,
    train,
)
from tf_iclrec.settings import Setting
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.system import System


class Unregistered(SelfAttentiveEncoder):
    pass


@keras.saving.register_keras_serializable("tests")
class Forgetful(SelfAttentiveEncoder):
    def __init__(self, *args, fading: Annotated[float, Setting("how fast")] = 0.7, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Unregistered, "Unregistered is not registered with Keras"),
        (Forgetful, r"Forgetful\.get_config\(\) leaves out fading"),
    ],
)
def test_it_is_refused(monkeypatch, kind, message):
    monkeypatch.setitem(ENCODERS, "mine", kind)
    with pytest.raises(UserError, match=message):
        build_model(make_config("sasrec", encoder="mine"), Catalogue(num_items=5))


class UnregisteredLoss(SoftmaxCrossEntropy):
    pass


@keras.saving.register_keras_serializable("tests")
class ForgetfulContrast(SequenceContrast):
    name, prefix, title = "mine", "mine_", "Mine"

    def __init__(self, *args, power: Annotated[float, Setting("of what")] = 2.0, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    ("registry", "kind", "settings", "message"),
    [
        (
            "NEXT_ITEM_LOSSES",
            UnregisteredLoss,
            {"loss": "mine"},
            "UnregisteredLoss is not registered with Keras",
        ),
        (
            "CONTRASTS",
            ForgetfulContrast,
            {"mine_weight": 0.1},
            r"ForgetfulContrast\.get_config\(\) leaves out power",
        ),
    ],
)
def test_so_are_objectives(monkeypatch, registry, kind, settings, message):
    monkeypatch.setitem(getattr(tf_iclrec, registry), "mine", kind)
    with pytest.raises(UserError, match=message):
        build_model(make_config("sasrec", **settings), Catalogue(num_items=5))


@pytest.mark.parametrize("command", [True, False])
@pytest.mark.parametrize(
    ("registry", "part", "message"),
    [
        ("ENCODERS", keras.layers.Dense, r"\['mine'\] is <class .*Dense'>, .* tf_iclrec\.Encoder"),
        ("ENCODERS", lambda **settings: None, r"is <function .*subclass of tf_iclrec\.Encoder\."),
        ("NEXT_ITEM_LOSSES", SoftmaxCrossEntropy(), r"SoftmaxCrossEntropy object .*\.Objective\."),
        ("NEXT_ITEM_LOSSES", SelfAttentiveEncoder, r"SelfAttentiveEncoder'>.*\.Objective\."),
        (
            "CONTRASTS",
            SoftmaxCrossEntropy,
            r"SoftmaxCrossEntropy'>.*subclass of tf_iclrec\.Contrast",
        ),
        ("CONTRASTS", None, r"tf_iclrec\.CONTRASTS\['mine'\] is None, and must be a class"),
    ],
)
def test_another_kind_than_a_registry_is_for_is_named(
    monkeypatch, registry, part, message, command
):
    monkeypatch.setitem(getattr(tf_iclrec, registry), "mine", part)
    with pytest.raises(UserError, match=message) as error:
        train.main(["--help"]) if command else make_config("sasrec")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("sasrec", r"SYSTEMS\['mine'\] is 'sasrec', and must be a tf_iclrec\.System\."),
        (
            dataclasses.replace(SYSTEMS["gru4rec"], name="mine", settings={"encoder": "gur"}),
            "Unknown encoder 'gur' of the model mine: did you mean 'gru'",
        ),
    ],
)
def test_so_is_what_is_no_system_or_has_no_encoder(monkeypatch, system, message):
    monkeypatch.setitem(SYSTEMS, "mine", system)
    with pytest.raises(UserError, match=message):
        train.main(["--list-models"])


class Derived(SequenceContrast):
    name, title = "mine", "Mine, with the prefix of its base"


class Untitled(Contrast):
    name, prefix = "mine", "mine_"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Derived, r"the prefix 'sequence_' of 'sequence_contrast'.*give Derived a prefix"),
        (Untitled, r"CONTRASTS\['mine'\], Untitled, has no title"),
    ],
)
def test_a_contrast_has_options_of_its_own(monkeypatch, kind, message):
    """With those of another one, cl4srec would be trained with both."""
    monkeypatch.setitem(tf_iclrec.CONTRASTS, "mine", kind)
    with pytest.raises(UserError, match=message):
        make_config("cl4srec")


def test_a_misspelled_setting_of_a_system_is_named(monkeypatch):
    family = SYSTEMS["sasrec"].family
    monkeypatch.setitem(SYSTEMS, "mine", System("mine", "", "", family, {"hiden_dim": 16}))
    with pytest.raises(UserError, match="'hiden_dim': did you mean 'hidden_dim'"):
        make_config("mine")


def test_numbers_of_numpy_are_numbers(tmp_path):
    config = make_config(
        "sasrec", hidden_dim=np.int64(32), learning_rate=np.float64(0.5), data=tmp_path / "a.csv"
    )
    assert type(config.encoder.hidden_dim) is int
    assert config.training.learning_rate == 0.5
    assert config.data.source == (str(tmp_path / "a.csv"),)


Mine = Annotated[int, Setting("mine")]


class Seeded(SelfAttentiveEncoder):
    def __init__(self, *args, seed: Mine = 1, **kwargs):
        super().__init__(*args, **kwargs)


class Named(SelfAttentiveEncoder):
    def __init__(self, *args, name: Mine = 1, **kwargs):
        super().__init__(*args, **kwargs)


class WithOutput(SelfAttentiveEncoder):
    def __init__(self, *args, output: Mine = 1, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Seeded, "option 'seed' would set something of 'Encoder' and of 'Training' alike"),
        (Named, "A setting of 'Encoder' can't be called 'name'"),
    ],
)
def test_a_value_is_the_setting_of_one_part(monkeypatch, kind, message):
    monkeypatch.setitem(ENCODERS, "mine", kind)
    with pytest.raises(UserError, match=message):
        make_config("sasrec")


def test_what_is_registered_is_looked_at_once(monkeypatch):
    """A configuration asks for its sections by the hundred."""
    make_config("sasrec")
    monkeypatch.setattr("tf_iclrec.systems.neural.check_options", None)
    assert make_config("sasrec").options()


def test_an_option_of_the_command_is_no_setting(monkeypatch):
    monkeypatch.setitem(ENCODERS, "mine", WithOutput)
    with pytest.raises(UserError, match="of 'Encoder' can't be the option --output"):
        train.main(["--output", "nowhere"])
