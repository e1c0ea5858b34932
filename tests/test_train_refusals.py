"""What `train` refuses, in one line: data, tables of items, models and options."""

import pytest

from .command_line import check_refused, refused, run_here
from .small_runs import write_sequence_file


@pytest.fixture(scope="module")
def sequence_file(tmp_path_factory):
    return write_sequence_file(tmp_path_factory.mktemp("data") / "log.txt")


CSV = "user_id,item_id,timestamp\nann,tea,2024-01-01\nann,jam,yesterday\n"
BAD_DATA = {
    "missing file": (None, "No such file or folder"),
    "empty file": ("", "is empty"),
    "user without item": ("1 2 3 4\n2\n", "line 2: a user without an item"),
    "text in a sequence file": ("1 2 3 4\n2 a b\n", "line 2: only positive integers"),
    "negative id": ("1 2 -3 4\n", "line 1: only positive integers"),
    "only short users": ("1 2 3\n2 3 4\n", "None of the 2 users has the 3 items"),
    "missing column": ("user,item\n1,2\n", "Columns there are: user, item"),
    "unparsable time": (CSV, "row 2, column 'timestamp': 'yesterday' is neither"),
}


def test_too_few_users_for_the_number_of_intents(tmp_path):
    (tmp_path / "log.txt").write_text("1 2 3 4 5\n2 3 4 5 6\n")
    arguments = ["--data", tmp_path / "log.txt", "--num-intents", 256]
    message = "The largest K that works is 2: --num-intents 2."
    refused(message, "train", *arguments, "--output", tmp_path / "run")


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_gets_one_clear_line(tmp_path, case):
    content, message = BAD_DATA[case]
    is_table = content is not None and "," in content
    path = tmp_path / ("log.csv" if is_table else "log.txt")
    if content is not None:
        path.write_text(content)
    result = run_here("train", "--data", path, "--output", tmp_path / "run")
    check_refused(result, message)
    assert not (tmp_path / "run").exists()


BAD_ITEMS = {
    "missing file": (None, "No such file"),
    "another data set": (
        "item_id,provider,category\nB0001,acme,tea\n",
        "items like '1', the table like 'B0001'",
    ),
    "two providers": (
        "item_id,provider,category\n1,acme,tea\n2,best,tea\n1,cosy,tea\n",
        "item '1' has two values in column 'provider', 'acme' and 'cosy'",
    ),
    "missing column": (
        "item_id,brand\n1,acme\n",
        "has no column 'category'. Columns there are: item_id, brand. Rename yours",
    ),
    "missing attribute": (
        "item_id,provider\n1,acme\n",
        "has no column 'category'. Columns there are: item_id, provider. Rename yours",
    ),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
def test_bad_table_of_items_gets_one_clear_line(sequence_file, tmp_path, case):
    content, message = BAD_ITEMS[case]
    path = tmp_path / "items.csv"
    if content is not None:
        path.write_text(content)
    arguments = ["--data", sequence_file, "--items", path, "--model", "ipsrec_c"]
    arguments += ["--item-attributes", "category"]
    refused(message, "train", *arguments, "--output", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (
            ["--model", "ipsrec_s"],
            ["This model reads providers and the data has none", "--items", "--provider-column"],
        ),
        (
            ["--model", "sasrec", "--provider-weight", 0.1],
            ["--provider-weight", "sasrec", "single_stream or cross_stream"],
        ),
        (["--provider-column", "brand"], ["no column 'brand' of providers"]),
    ],
)
def test_model_that_the_data_cannot_feed_gets_one_clear_line(
    sequence_file, tmp_path, options, messages
):
    result = run_here("train", "--data", sequence_file, "--output", tmp_path / "run", *options)
    for message in messages:
        check_refused(result, message)
    assert not (tmp_path / "run").exists()


def test_a_pretraining_is_for_encoders_with_one_vector(sequence_file, tmp_path):
    options = ["--model", "dssrec", "--pretraining", "segments", "--output", tmp_path / "run"]
    refused("has several vectors of a user", "train", "--data", sequence_file, *options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epohcs", 3], "Unknown option --epohcs: did you mean '--epochs'?"),
        (["--model", "iclrek"], "Unknown model 'iclrek': did you mean 'iclrec'?"),
        (["--epochs", "many"], "--epochs: invalid int value: 'many'"),
        (["--num-intents", "many"], "--num-intents: invalid int or auto value: 'many'"),
        (["--epochs", "auto"], "--epochs: invalid int value: 'auto'"),
        (["--epochs", 0], "epochs must be at least 1, not 0"),
        (
            ["--model", "sasrec", "--num-intents", 4],
            "The model sasrec does not read num_intents. Models that do: iclrec, iclrec_published",
        ),
        (["--num-fusion-blocks", 3], "or choose --encoder cross_stream."),
        (
            ["--encoder", "cross_steam"],
            "Unknown encoder 'cross_steam': did you mean 'cross_stream'",
        ),
        (["--config", "flat.json"], "flat.json: 'data' must hold a JSON object of settings."),
        (
            ["--config", "misplaced.json"],
            "misplaced.json: 'hidden_dim' does not belong in 'training': it belongs in 'encoder'.",
        ),
        (
            ["--item-attributes", "category"],
            "item_attributes is of a table of items: name the table with",
        ),
        (["--config", "nowhere.json"], "nowhere.json can't be read"),
        (["--resume"], "is not a run directory"),
    ],
)
def test_bad_options_get_one_clear_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    # As the configuration of a run was before it had sections.
    (tmp_path / "flat.json").write_text('{"data": "log.csv", "model": "iclrec", "epochs": 8}')
    (tmp_path / "misplaced.json").write_text('{"training": {"hidden_dim": 8}}')
    refused(message, "train", "--output", "run", *arguments)
    assert not (tmp_path / "run").exists()
