import json

import pytest

from tf_iclrec import SYSTEMS, Config, UserError, make_config
from tf_iclrec.config import read_settings, resolve
from tf_iclrec.objectives.registry import CONTRASTS


def written(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def from_file(path, **given):
    model, settings = read_settings(path)
    return resolve(given.pop("model", model or "iclrec"), given, settings, model)


# The tree


def test_settings_stand_in_the_sections_of_their_parts():
    config = make_config(model="sasrec", epochs=5, hidden_dim=32, min_user_count=2)
    assert isinstance(config, Config)
    assert config.model == "sasrec"
    assert config.training.epochs == config["training"]["epochs"] == 5
    assert config.encoder == {
        "name": "self_attentive",
        **{"max_length": 50, "hidden_dim": 32, "dropout": 0.5},
        **{"num_blocks": 2, "num_heads": 2, "relative_positions": True},
    }
    assert config.encoder.arguments == {
        name: value for name, value in config.encoder.items() if name != "name"
    }
    assert config.data["min_user_count"] == 2


def test_sections_that_a_model_does_not_read_are_not_there():
    config = make_config(model="sasrec")
    assert "views" not in config
    assert "intents" not in config
    with pytest.raises(AttributeError, match="sasrec has no section 'intents'"):
        config.intents  # noqa: B018
    with pytest.raises(AttributeError, match="no setting 'num_intents'"):
        config.training.num_intents  # noqa: B018
    assert config.intent_contrast == {"weight": 0.0}
    assert make_config(model="iclrec").intents.num_intents == (256,)
    assert "views" in make_config(model="iclrec", intent_views="augmented")
    assert "views" in make_config(model="cl4srec")


def test_a_choice_decides_what_else_is_read():
    assert set(make_config(loss="softmax").next_item) == {"name", "horizon", "decay"}
    assert set(make_config(loss="sampled").next_item) == {"name"}
    assert set(make_config(loss="sampled_softmax").next_item) == {"name", "kind", "num_samples"}
    both = {"name", "horizon", "decay", "kind", "num_samples"}
    assert set(make_config(loss="auto").next_item) == both


def test_what_is_given_wins_over_the_system_and_the_system_over_the_parts():
    assert make_config(model="iclrec_published").training.batch_size == 256
    assert make_config(model="iclrec_published", batch_size=7).training.batch_size == 7
    assert make_config(model="sasrec").training.batch_size == 64
    assert make_config(model="sasrec").encoder.hidden_dim == 128
    assert make_config(model="iclrec_published").encoder.hidden_dim == 64


def test_a_contrast_that_is_switched_on_has_the_settings_of_the_system():
    assert make_config(model="sasrec", intent_weight=0.3).intent_contrast == {
        **{"weight": 0.3, "temperature": 0.1, "normalize": True},
        **{"mitigate_false_negatives": True, "views": "dropout"},
    }


def test_the_settings_are_also_there_by_option():
    options = make_config(model="cl4srec", sequence_fnm=True, num_intents=(4, 8)).options()
    assert options["encoder"] == "self_attentive"
    assert (options["sequence_fnm"], options["num_intents"]) == (True, (4, 8))
    assert (options["crop_ratio"], options["score_temperature"]) == (0.2, 0.07)
    assert options["horizon_decay"] == 0.6
    assert "intent_temperature" not in options


def test_configurations_are_equal_if_all_settings_are():
    assert make_config(epochs=3) == make_config(epochs=3) != make_config(epochs=4)
    # The same settings, of another name.
    sasrec = make_config(model="sasrec")
    assert make_config(model="iclrec", **sasrec.options()) != sasrec


# Files


@pytest.mark.parametrize("model", SYSTEMS)
def test_config_survives_json(tmp_path, model):
    config = make_config(model=model, min_user_count=3, evaluation_users=77, k=5)
    path = written(tmp_path, config.to_json())
    assert from_file(path) == config
    model, settings = read_settings(path)
    assert make_config(model=model, **settings) == config
    assert make_config(model=model, **config.options()) == config


def test_several_numbers_and_switched_settings_survive_json(tmp_path):
    config = make_config(
        model="cl4srec", num_intents=(8, 16), sequence_fnm=True, intent_weight=0.2, loss="sampled"
    )
    assert from_file(written(tmp_path, config.to_json())) == config


def test_a_file_may_say_a_part(tmp_path):
    path = written(tmp_path, {"training": {"epochs": 3}, "encoder": {"num_heads": 4}})
    assert read_settings(path) == (None, {"epochs": 3, "num_heads": 4})
    assert from_file(path) == make_config(epochs=3, num_heads=4)
    # Beside a model that is named as an option, too.
    assert from_file(path, model="sasrec") == make_config(model="sasrec", epochs=3, num_heads=4)


def test_whole_numbers_are_accepted_for_floats(tmp_path):
    config = from_file(written(tmp_path, {"encoder": {"dropout": 0}}))
    assert config.encoder.dropout == 0.0
    assert type(config.encoder.dropout) is float


def test_an_option_wins_over_a_file(tmp_path):
    path = written(tmp_path, {"model": "sasrec", "training": {"epochs": 3, "batch_size": 9}})
    assert from_file(path, epochs=4) == make_config(model="sasrec", epochs=4, batch_size=9)


def test_a_choice_among_the_options_leaves_out_what_is_no_longer_read(tmp_path):
    config = make_config(model="iclrec", horizon=7, batch_size=9)
    path = written(tmp_path, config.to_json())
    assert from_file(path, loss="sampled") == make_config(loss="sampled", batch_size=9)
    assert from_file(path, intent_weight=0.0) == make_config(
        intent_weight=0.0, horizon=7, batch_size=9
    )


@pytest.mark.parametrize("model", SYSTEMS)
@pytest.mark.parametrize("before", ["iclrec", "iclrec_published", "iclrec_ips_c", "bpr_mf", "ease"])
def test_a_file_of_one_model_with_another_model(tmp_path, before, model):
    """The models are as far apart as without the file, and all else is the file's."""
    chosen = {"min_user_count": 3, "evaluation_users": 77, "filter_seen": False}
    path = written(tmp_path, make_config(model=before, **chosen).to_json())
    assert from_file(path, model=model) == make_config(model=model, **chosen)
    assert from_file(path, model=model, min_user_count=5) == make_config(
        model=model, **chosen | {"min_user_count": 5}
    )


def test_what_two_models_set_alike_is_the_files(tmp_path):
    path = written(
        tmp_path, make_config(model="iclrec", hidden_dim=16, intent_weight=0.4).to_json()
    )
    assert from_file(path, model="iclrec_ips_s").encoder.hidden_dim == 16
    assert from_file(path, model="iclrec_ips_s").intent_contrast.weight == 0.4
    assert from_file(path, model="iclrec_ips_s").encoder.name == "single_stream"
    # The weight is what these two differ by.
    sasrec = from_file(path, model="sasrec")
    assert (sasrec.encoder.hidden_dim, sasrec.intent_contrast.weight) == (16, 0.0)


def test_of_a_file_of_another_model_only_what_differs_from_that_model_counts(tmp_path):
    """Whatever a file holds of the defaults of parts that the other model has not."""
    path = written(tmp_path, make_config(model="iclrec", dropout=0.25).to_json())
    assert from_file(path, model="hstu") == make_config(model="hstu", dropout=0.25)
    assert from_file(path, model="ease") == make_config(model="ease")
    assert make_config(model="hstu").encoder.num_heads != make_config().encoder.num_heads


def test_alternatives_can_call_settings_of_their_own_alike(tmp_path):
    """The regularization of BPR is not that of BPR-max."""
    for loss in ("bpr", "bpr_max"):
        config = make_config(model="gru4rec", loss=loss, **{f"{loss}_regularization": 0.25})
        assert config.next_item.regularization == 0.25
        assert config.options()[f"{loss}_regularization"] == 0.25
        assert from_file(written(tmp_path, config.to_json())) == config
        of_default = {"model": "gru4rec", "next_item": {"name": loss, "regularization": 0.25}}
        assert from_file(written(tmp_path, of_default)) == config
    # Where the file does not say which, the model does.
    path = written(tmp_path, {"model": "bpr_mf", "next_item": {"regularization": 0.125}})
    assert from_file(path) == make_config(model="bpr_mf", bpr_regularization=0.125)
    with pytest.raises(UserError, match=r"not read bpr_regularization.* choose --loss bpr\.$"):
        make_config(model="sasrec", bpr_regularization=0.5)


# What is refused


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
        ({"learning_rate": 0.0}, "learning_rate must be above 0, not 0.0"),
        ({"intent_weight": -0.1}, "intent_weight must be at least 0, not -0.1"),
        ({"num_intents": ()}, "num_intents can't be empty: one value or several expected"),
        ({"num_intents": (0,)}, "num_intents must be at least 1, not 0"),
        ({"num_intents": (4, "a")}, "num_intents can't be 'a': int expected"),
        ({"num_intents": "256"}, "num_intents can't be '256': int expected"),
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
        ({"intents": {"num_intents": 2.5}}, "num_intents can't be 2.5: int expected"),
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


# The short form of a choice


def test_a_value_after_a_colon_is_the_setting_that_is_marked(tmp_path):
    config = make_config(split="time:2017-06-01", split_targets="all")
    assert config.split == {
        **{"name": "time", "at": "2017-06-01", "test_at": "", "until": "", "targets": "all"},
    }
    assert config == make_config(split="time", split_at="2017-06-01", split_targets="all")
    assert from_file(written(tmp_path, config.to_json())) == config
    # Also where it stands in a file, and a time of day has colons of its own.
    short = written(tmp_path, {"split": {"name": "time:2017-06-01T12:30:00"}})
    assert from_file(short).split.at == "2017-06-01T12:30:00"
    assert from_file(short, split="time:0.1").split.at == "0.1"
    assert from_file(short, split="leave_one_out").split == {"name": "leave_one_out"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "leave_one_out:3"}, r"--split leave_one_out takes no value after a colon\.$"),
        ({"split": "tme:0.1"}, "Unknown split 'tme': did you mean 'time'"),
        ({"split": "time:0.1", "split_at": "0.2"}, "--split-at contradicts --split time:0.1"),
        ({"split_at": "0.2"}, r"iclrec does not read split_at: choose --split time\.$"),
        ({"model": "ease", "split": "time", "split_targets": "next"}, "last, first, all, not next"),
        ({"encoder": "gru:64"}, "--encoder gru takes no value after a colon"),
    ],
)
def test_a_short_form_that_means_nothing_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        make_config(**settings)


def test_the_settings_of_a_run_to_start_from_are_the_defaults(tmp_path):
    before = make_config(model="gru4rec", hidden_dim=24, epochs=9)
    (tmp_path / "format.json").write_text('{"format": 3}')
    written(tmp_path, before.to_json())
    config = make_config(init_from=str(tmp_path), epochs=2, data="newer.csv")
    assert (config.model, config.encoder.hidden_dim) == ("gru4rec", 24)
    assert (config.training.epochs, config.data.source) == (2, ("newer.csv",))
    assert config.warm_start.init_from == str(tmp_path)
    with pytest.raises(UserError, match="nowhere is not a run directory"):
        make_config(init_from="nowhere")
    with pytest.raises(UserError, match="ease does not read init_from"):
        make_config("ease", init_from=str(tmp_path))
