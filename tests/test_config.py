import json

import pytest

from tf_iclrec import SYSTEMS, Config, Interactions, UserError, make_config, train
from tf_iclrec.config import read_settings
from tf_iclrec.data.prepared import write_prepared

from .settings_files import from_file, written

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
        "padding_places": 0,
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
    assert make_config(model="iclrec").intents.num_intents == "auto"
    assert make_config(model="iclrec_published").intents.num_intents == (256,)
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
    assert make_config(model="sasrec").encoder.hidden_dim == 256
    assert make_config(model="sasrec").ensemble.num_members == 1
    assert make_config(model="iclrec_published").encoder.hidden_dim == 64


def test_a_contrast_that_is_switched_on_has_the_settings_of_the_system():
    assert make_config(model="sasrec", intent_weight=0.3).intent_contrast == {
        **{"weight": 0.3, "temperature": 0.1, "normalize": True},
        **{"mitigate_false_negatives": True, "views": "dropout", "both_ways": False},
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


@pytest.mark.parametrize("model", SYSTEMS)
def test_config_is_made_again_of_its_dictionary(model):
    config = make_config(model=model, min_user_count=3, evaluation_users=77, k=5)
    assert Config.from_dict(config.to_dict()) == config


def test_a_dictionary_may_say_a_part_and_nothing_else():
    tree = {"model": "sasrec", "training": {"epochs": 3}}
    assert Config.from_dict(tree) == make_config(model="sasrec", epochs=3)
    assert tree == {"model": "sasrec", "training": {"epochs": 3}}
    with pytest.raises(UserError, match="The configuration: 'epochs' does not belong in 'data'"):
        Config.from_dict({"data": {"epochs": 3}})


def test_some_settings_are_replaced_and_the_others_stay():
    config = make_config(model="cl4srec", epochs=3, hidden_dim=32)
    other = config.replace(epochs=4, encoder="gru")
    assert other == make_config(model="cl4srec", epochs=4, hidden_dim=32, encoder="gru")
    assert config.training.epochs == 3
    with pytest.raises(UserError, match=r"Unknown setting 'epoch': did you mean 'epochs'\?"):
        config.replace(epoch=4)


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


def test_dates_of_a_run_to_start_from_are_not_those_of_the_next(tmp_path, capsys):
    """It is there for what has come since."""
    before = make_config(model="sasrec", since="2020-01-01", until="2020-02-01", repeats="first")
    (tmp_path / "format.json").write_text('{"format": 3}')
    written(tmp_path, before.to_json())
    data = make_config(init_from=str(tmp_path)).data
    assert (data.since, data.until, data.repeats) == ("", "", "first")
    assert make_config(init_from=str(tmp_path), until="2020-03-01").data.until == "2020-03-01"
    train.main(["--init-from", str(tmp_path), "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "2020" not in text
    assert "drop those that follow directly (default: first)" in text
    # A run that goes on has its own dates.
    train.main(["--resume", "--output", str(tmp_path), "--help"])
    assert "(default: 2020-02-01)" in " ".join(capsys.readouterr().out.split())


def test_a_raw_log_is_read_as_the_prepared_one_of_the_run_before(tmp_path):
    """Whose configuration names no columns: they were told to `prepare`."""
    run, prepared = tmp_path / "run", tmp_path / "prepared"
    (run / "data").mkdir(parents=True)
    write_prepared(Interactions.from_sequences({"ann": ["tea"]}), prepared)
    (run / "format.json").write_text('{"format": 3}')
    written(run, make_config(model="sasrec", data=str(prepared), repeats="last").to_json())
    read = {"user_column": "who", "min_rating": 4.0, "rating_column": "liked", "repeats": "last"}
    (run / "data" / "metadata.json").write_text(json.dumps({"how_read": read}))
    data = make_config(init_from=str(run), data="newer.csv").data
    assert (data.user_column, data.min_rating, data.repeats) == ("who", 4.0, "last")
    given = make_config(init_from=str(run), data="newer.csv", min_rating=0.0).data
    assert (given.user_column, given.min_rating) == ("who", 0.0)
    for more in ({}, {"data": str(prepared)}):
        data = make_config(init_from=str(run), **more).data
        assert (data.user_column, data.min_rating, data.repeats) == ("", 0.0, "last")
