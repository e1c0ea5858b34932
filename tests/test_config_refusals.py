import pytest

from tf_iclrec import UserError, make_config
from tf_iclrec.config import read_settings
from tf_iclrec.objectives.registry import CONTRASTS

from .settings_files import from_file, written


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
        ({"dropout": float("nan")}, "dropout must be at least 0 and below 1, not nan"),
        (
            {"model": "cl4srec", "crop_ratio": 1.5},
            "crop_ratio must be at least 0 and at most 1, not 1.5",
        ),
        ({"seed": 2**31}, r"seed must be at least 0 and at most 2147483647, not 2147483648\.$"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"intent_weight": -0.1}, "intent_weight must be at least 0, not -0.1"),
        ({"num_intents": ()}, "num_intents can't be empty: one value or several expected"),
        ({"num_intents": (0,)}, "num_intents must be at least 1, not 0"),
        ({"num_intents": (4, "a")}, "num_intents can't be 'a': int or auto expected"),
        ({"num_intents": "256"}, "num_intents can't be '256': int or auto expected"),
        ({"epochs": 3.0}, "epochs can't be 3.0: int expected"),
        ({"epochs": True}, "epochs can't be True: int expected"),
        ({"filter_seen": 1}, "filter_seen can't be 1: bool expected"),
        ({"items": 3}, "items can't be 3: str expected"),
        ({"loss": "hinge"}, "Unknown loss 'hinge': valid are auto, "),
        ({"encoder": "cross_steam"}, "Unknown encoder 'cross_steam': did you mean 'cross_stream'"),
        ({"encoder": 3}, "Unknown encoder 3: valid are"),
        ({"encoder": ["a"]}, r"Unknown encoder \['a'\]: valid are"),
        (
            {"intent_views": "none"},
            "intent_views must be one of augmented, dropout, not none",
        ),
        ({"epoch": 3}, "Unknown setting 'epoch': did you mean 'epochs'"),
        ({"model": "iclrek"}, "Unknown model 'iclrek': did you mean 'iclrec'"),
        ({"model": 3}, "Unknown model 3: valid are"),
        ({"model": ["iclrec"]}, r"Unknown model \['iclrec'\]: did you mean 'iclrec'"),
    ],
)
def test_a_bad_setting_is_named(setting, rule):
    with pytest.raises(UserError, match=rule):
        make_config(**setting)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"model": "sasrec", "num_intents": (4,)},
            "The model sasrec does not read num_intents. Models that do: iclrec, iclrec_publ",
        ),
        (
            {"model": "sasrec", "intent_temperature": 0.5},
            "sasrec does not read intent_temperature. Models that do: iclrec, .*; or choose "
            r"--intent-weight above 0\.$",
        ),
        (
            {"model": "sasrec", "num_fusion_blocks": 2},
            "sasrec does not read num_fusion_blocks. Models that do: ipsrec_c, iclrec_ips_c; or "
            r"choose --encoder cross_stream\.$",
        ),
        (
            {"model": "iclrec", "crop_ratio": 0.3},
            r"iclrec does not read crop_ratio. Models that do: cl4srec, iclrec_published",
        ),
        (
            {"model": "iclrec", "loss": "sampled", "horizon": 3},
            "iclrec does not read horizon with these choices. .*--loss softmax",
        ),
        (
            {"model": "iclrec", "item_initialization": "random", "spectral_members": 2},
            "does not read spectral_members with these choices. .*--item-initialization spectral",
        ),
        (
            {"model": "iclrec", "intent_weight": 0.0, "intent_fnm": False},
            "does not read intent_fnm with these choices. .*--intent-weight above 0",
        ),
    ],
)
def test_a_setting_that_a_model_does_not_read_names_those_that_do(settings, message):
    with pytest.raises(UserError, match=message):
        make_config(**settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"training": {"epochs": "many"}}, "epochs can't be 'many': int expected"),
        ({"evaluation": {"filter_seen": 1}}, "filter_seen can't be 1: bool expected"),
        ({"intents": {"num_intents": 2.5}}, "num_intents can't be 2.5: int or auto expected"),
        ({"intents": {"num_intents": []}}, "num_intents can't be empty: one value or several"),
        ({"encoder": {"name": "gpt"}}, "Unknown encoder 'gpt': valid are"),
        ({"encoder": {"name": ["gpt"]}}, r"Unknown encoder \['gpt'\]: valid are"),
        ({"model": {"name": "sasrec"}}, "Unknown model {'name': 'sasrec'}: "),
        (
            {"model": "sasrec", "intents": {"num_intents": [4]}},
            "The model sasrec does not read num_intents. Models that do: iclrec,",
        ),
        ("[1]", r"config.json must hold a JSON object of settings\.$"),
        ("{epochs: 1}", "config.json is not valid JSON: Expecting property name"),
        ("", "config.json is not valid JSON: Expecting value"),
        ({"training": 5}, r"config.json: 'training' must hold a JSON object of settings\.$"),
        (
            {
                "sequence_contrast": {"weight": 0.1, "normalize": True},
                "intent_contrast": {"weight": 0.1, "normalize": False},
            },
            "config.json: 'normalize' in 'intent_contrast' contradicts another section: "
            r"normalize_contrast is one setting for all\.$",
        ),
    ],
)
def test_a_bad_settings_file_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        from_file(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.json can't be read: No such file"):
        read_settings(tmp_path / "nowhere.json")
    with pytest.raises(UserError, match="can't be read: Is a directory"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"training": {"hidden_dim": 8}},
            "'hidden_dim' does not belong in 'training': it belongs in 'encoder'.",
        ),
        (
            {"hidden_dim": 8},
            "'hidden_dim' does not belong at the top: it belongs in 'encoder'.",
        ),
        (
            {"views": {"crop_ratio": 0.5}},
            "'crop_ratio' does not belong in 'views': it is called 'crop' in 'views'.",
        ),
        (
            {"score_temperature": 0.5},
            "'score_temperature' does not belong at the top: it is called 'temperature' in "
            "'scores'.",
        ),
        (
            {"loss": "softmax"},
            "'loss' does not belong at the top: it is called 'name' in 'next_item'.",
        ),
        ({"name": "x"}, "unknown setting 'name' at the top: valid are "),
        ({"trainig": {}}, "unknown setting 'trainig' at the top: did you mean 'training'?"),
        (
            {"training": {"epohcs": 3}},
            "unknown setting 'epohcs' in 'training': did you mean 'epochs'?",
        ),
        (
            {"split": {"model": "sasrec"}},
            "unknown setting 'model' in 'split': valid are at, name, ",
        ),
    ],
)
def test_a_misplaced_setting_is_told_its_place(tmp_path, tree, message):
    path = written(tmp_path, tree)
    with pytest.raises(UserError) as error:
        from_file(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_misplaced_setting_of_several_sections_is_told_all_of_them(tmp_path):
    path = written(tmp_path, {"training": {"weight": 0.1}})
    with pytest.raises(UserError) as error:
        from_file(path)
    contrasts = " or ".join(map(repr, CONTRASTS))
    message = f"{path}: 'weight' does not belong in 'training': it belongs in {contrasts}."
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("flat", "message"),
    [
        # As version 2 of the run directory began, and any part of it.
        (
            {"data": "completejourney", "user_column": "user_id", "model": "iclrec", "epochs": 8},
            "'data' must hold a JSON object of settings.",
        ),
        (
            {"model": "iclrec", "num_members": 3, "hidden_dim": 128},
            "'num_members' does not belong at the top: it belongs in 'ensemble'.",
        ),
    ],
)
def test_a_flat_file_of_an_earlier_version_is_refused_in_one_line(tmp_path, flat, message):
    path = written(tmp_path, flat)
    with pytest.raises(UserError) as error:
        from_file(path)
    assert str(error.value) == f"{path}: {message}"
