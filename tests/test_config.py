import dataclasses
import json

import pytest

from tf_iclrec import Config, UserError, make_config
from tf_iclrec.config import read_settings


def test_config_survives_json(tmp_path):
    config = make_config(model="cl4srec", num_intents=(8, 16), dropout=0.25)
    path = tmp_path / "config.json"
    path.write_text(config.to_json())
    assert make_config(**read_settings(path)) == config


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"crop_ratio": 1.5}, "crop_ratio must be between 0 and 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"intent_weight": -0.1}, "intent_weight must be 0 or more"),
        ({"num_intents": ()}, "num_intents must be one number or several"),
        ({"num_intents": (0,)}, "num_intents must be numbers from 1 on"),
        ({"num_heads": 3}, "num_heads must be a divisor of hidden_dim"),
        (
            {"item_attributes": "category"},
            "item_attributes are columns of a table of items: name it",
        ),
        ({"loss": "hinge"}, "loss must be one of auto, softmax, sampled_softmax, sampled"),
        ({"epoch": 3}, "Unknown setting 'epoch': did you mean 'epochs'"),
        ({"model": "iclrek"}, "Unknown model 'iclrek': did you mean 'iclrec'"),
    ],
)
def test_a_bad_setting_is_named(setting, rule):
    with pytest.raises(UserError, match=rule):
        make_config(**setting)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"epochs": "many"}', "epochs can't be 'many': int expected"),
        ('{"filter_seen": 1}', "filter_seen can't be 1: bool expected"),
        ('{"num_intents": 256}', "num_intents can't be 256"),
        ("[1]", "must hold a JSON object"),
        ("{epochs: 1}", "is not valid JSON"),
    ],
)
def test_a_bad_settings_file_is_refused(tmp_path, text, message):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_settings(path)


def test_names_of_columns_are_separated_by_commas():
    config = make_config(header="a,b", items="items.csv", item_attributes="category, color")
    assert config.header_names == ("a", "b")
    assert config.item_attribute_names == ("category", "color")
    assert make_config().item_attribute_names == make_config().header_names == ()


def test_whole_numbers_are_accepted_for_floats(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"dropout": 0}))
    assert read_settings(path) == {"dropout": 0.0}


def test_every_field_has_help():
    assert all(field.metadata["help"] for field in dataclasses.fields(Config))
