"""The help of ``train``: what the chosen model reads, and nothing else."""

import re

import pytest

from tf_iclrec import ENCODERS, SYSTEMS, UserError, make_config, prepare, train
from tf_iclrec.options import flag
from tf_iclrec.systems.table import systems_table


@pytest.fixture
def help_of(capsys):
    """What a command prints with some options and ``--help``."""

    def call(*arguments):
        train.main([*map(str, arguments), "--help"])
        return capsys.readouterr().out

    return call


def options_in(text):
    """The options that have an entry of their own."""
    return set(re.findall(r"^  (--[\w-]+)", text, flags=re.MULTILINE))


ALWAYS = {"--help", "--output", "--model", "--list-models", "--config", "--resume", "--overwrite"}
ALWAYS |= {"--import", "--roll"}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_model_shows_what_it_reads_and_nothing_else(name, help_of):
    shown = options_in(help_of("--model", name))
    assert shown == ALWAYS | {flag(option) for option in make_config(model=name).options()}


def test_of_a_contrast_that_is_off_only_the_switch_is_shown(help_of):
    text = help_of("--model", "sasrec")
    assert "--intent-weight" in text
    assert "--intent-temperature" not in text
    assert "--num-intents" not in text
    assert "--crop-ratio" not in text


def test_views_are_shown_where_they_are_compared(help_of):
    assert "--crop-ratio" in help_of("--model", "cl4srec")
    assert "--crop-ratio" not in help_of("--model", "iclrec")
    assert "--crop-ratio" in help_of("--model", "iclrec", "--intent-views", "augmented")


def test_choices_change_what_is_shown(help_of):
    text = help_of("--model", "sasrec", "--intent-weight", 0.1, "--loss", "sampled")
    assert "--intent-temperature" in text
    assert "--horizon" not in text
    assert "--num-fusion-blocks" in help_of("--encoder", "cross_stream")


def test_a_default_is_that_of_the_model(help_of):
    def default(text, option):
        (entry,) = re.findall(rf"^  {option} .*(?:\n   .*)*", text, flags=re.MULTILINE)
        return re.search(r"\(default:\s+(.*?)\)", entry, flags=re.DOTALL).group(1)

    assert default(help_of(), "--epochs") == "8"
    published = help_of("--model", "iclrec_published")
    assert default(published, "--epochs") == "300"
    assert default(published, "--loss") == "sampled"
    assert default(published, "--num-intents") == "256"
    several = help_of("--num-intents", 8, 16, "--epochs", 3)
    assert default(several, "--num-intents") == "8 16"
    assert default(several, "--epochs") == "3"


def test_settings_stand_under_the_titles_of_their_parts(help_of):
    text = help_of("--model", "cl4srec")
    titles = re.findall(r"^(\S.*):$", text, flags=re.MULTILINE)
    config = make_config(model="cl4srec")
    sections = [
        section for section in SYSTEMS["cl4srec"].family.sections if config.get(section.key)
    ]
    assert titles[1:] == [section.title for section in sections]
    encoder = text[text.index("Encoder:") : text.index("Several encoders")]
    assert {"--encoder", "--max-length", "--hidden-dim", "--dropout"} <= options_in(encoder)


def test_alternatives_are_named(help_of):
    text = " ".join(help_of().split())
    assert f"what turns histories into vectors; one of {', '.join(sorted(ENCODERS))}" in text
    assert "above; one of auto, " in text
    assert "what is trained on and what is held out; one of leave_one_out" in text


def test_a_yes_or_no_has_both_forms(help_of):
    assert "--filter-seen, --no-filter-seen" in help_of()


def test_help_with_a_bad_setting_is_refused(help_of):
    with pytest.raises(UserError, match="sasrec does not read crop_ratio"):
        help_of("--model", "sasrec", "--crop-ratio", 0.5)


def test_all_models_are_listed_without_anything_else_being_asked(capsys):
    train.main(["--list-models"])
    assert capsys.readouterr().out == systems_table() + "\n"


def test_preparing_has_the_options_of_data_alone(capsys):
    with pytest.raises(SystemExit):
        prepare.main(["--help"])
    data = {flag(option) for option in make_config().options()} & options_in(
        capsys.readouterr().out
    )
    assert data == {
        *("--data", "--user-column", "--item-column", "--time-column", "--provider-column"),
        *("--rating-column", "--header", "--items", "--item-attributes", "--time-unit"),
        *("--item-labels", "--title-column"),
        *("--since", "--until", "--min-rating", "--repeats"),
        *("--min-user-count", "--min-item-count", "--users-by-length"),
    }
