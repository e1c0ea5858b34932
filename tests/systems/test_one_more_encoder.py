"""One more encoder is a class and a line in the registry: its settings are everywhere at once."""

import json
from typing import Annotated

import keras
import numpy as np
import pytest
from keras import ops

from tf_iclrec import ENCODERS, Encoder, Setting, UserError, fit, load_run, make_config, train
from tf_iclrec.config import read_settings, resolve
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.synthetic import planted_intents


@keras.saving.register_keras_serializable("tests")
class FadingMeanEncoder(Encoder):
    """The mean of the items so far, each counting less than the one after it.

    Args:
        fading: What an item counts, in shares of the next one.
    """

    def __init__(
        self,
        *args,
        fading: Annotated[
            float, Setting("what an item counts, in shares of the next", above=0, at_most=1)
        ] = 0.8,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.fading = fading

    def encode(self, items, valid, training):
        real = ops.cast(valid, items.dtype)
        place = ops.cumsum(real, axis=1)
        age = place[:, :, None] - place[:, None, :]
        weights = ops.where(age >= 0, self.fading ** ops.maximum(age, 0), 0.0)
        weights = weights * real[:, None, :] * real[:, :, None]
        total = ops.maximum(ops.sum(weights, axis=-1, keepdims=True), 1e-6)
        return ops.matmul(weights / total, items)

    def get_config(self):
        return super().get_config() | {"fading": self.fading}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(ENCODERS, "fading_mean", FadingMeanEncoder)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    write_prepared(planted_intents(num_users=60, num_items=30, num_intents=3)[0], folder)
    return str(folder)


SMALL = {"hidden_dim": 8, "max_length": 10, "epochs": 1, "batch_size": 16}


def test_its_option_is_read_where_it_is_chosen():
    config = make_config(model="sasrec", encoder="fading_mean", fading=0.5)
    assert config.encoder.fading == 0.5
    assert config.options()["fading"] == 0.5
    assert make_config(model="sasrec", encoder="fading_mean").encoder.fading == 0.8
    # What it shares with all encoders, and nothing of Transformers.
    assert set(config.encoder) == {"name", "max_length", "hidden_dim", "dropout", "fading"}
    with pytest.raises(
        UserError, match=r"sasrec does not read fading: choose --encoder fading_mean\.$"
    ):
        make_config(model="sasrec", fading=0.5)
    with pytest.raises(UserError, match="does not read num_heads with these choices"):
        make_config(model="sasrec", encoder="fading_mean", num_heads=4)


def test_it_is_in_the_help(capsys):
    train.main(["--model", "sasrec", "--encoder", "fading_mean", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--fading FLOAT what an item counts, in shares of the next (default: 0.8)" in text
    assert f"one of {', '.join(sorted(ENCODERS))} (default: fading_mean)" in text
    assert "--num-heads" not in text
    train.main(["--model", "sasrec", "--help"])
    assert "--fading" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, "fading must be above 0 and at most 1, not 0.0"),
        (1.5, "fading must be above 0 and at most 1, not 1.5"),
        ("much", "fading can't be 'much': float expected"),
    ],
)
def test_its_range_is_checked(value, message):
    with pytest.raises(UserError, match=message):
        make_config(model="sasrec", encoder="fading_mean", fading=value)


def test_a_nearly_right_option_is_told():
    with pytest.raises(UserError, match="Unknown option --fadin: did you mean '--fading'"):
        train.main(["--encoder", "fading_mean", "--fadin", "0.5"])


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_it_trains_and_its_setting_is_in_the_runs_configuration(source, tmp_path):
    config = make_config(
        model="iclrec", encoder="fading_mean", fading=0.5, data=source, num_intents=(3,), **SMALL
    )
    run = fit(config, tmp_path / "run")
    assert run.model.encoder.fading == 0.5
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (written["encoder"]["name"], written["encoder"]["fading"]) == ("fading_mean", 0.5)
    model, settings = read_settings(tmp_path / "run" / "config.json")
    assert resolve(model, {}, settings) == config
    loaded = load_run(tmp_path / "run")
    assert (type(loaded.model.encoder), loaded.model.encoder.fading) == (FadingMeanEncoder, 0.5)
    assert loaded.metrics == run.metrics
    batch = {"item_ids": np.array([[0, 4, 5, 6]], dtype="int32")}
    np.testing.assert_array_equal(loaded.model(batch), run.model(batch))


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_it_trains_from_the_command_line(source, tmp_path, capsys):
    arguments = ["--data", source, "--output", str(tmp_path / "run"), "--model", "sasrec"]
    for option, value in SMALL.items():
        arguments += [f"--{option.replace('_', '-')}", str(value)]
    train.main([*arguments, "--encoder", "fading_mean", "--fading", "0.25"])
    assert "NDCG@20" in capsys.readouterr().out
    assert load_run(tmp_path / "run").model.encoder.fading == 0.25


def test_it_is_the_mean_that_it_says(source):
    """So that what was trained above is an encoder at all."""
    encoder = FadingMeanEncoder(20, hidden_dim=4, fading=0.5)
    encoder.build()
    table = encoder.item_embedding.embeddings.numpy()
    states = np.asarray(encoder({"item_ids": np.array([[0, 5, 9, 7]], dtype="int32")}))[0]
    expected = (table[5] / 4 + table[9] / 2 + table[7]) / 1.75
    np.testing.assert_allclose(states[3], expected, rtol=1e-5)
    assert not states[0].any()
