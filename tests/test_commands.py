"""Training, evaluating and converting from the command line."""

import json
import re
import signal

import pytest

from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.systems.table import systems_table

from .command_line import check_refused, refused, run, run_here, run_until

SMALL = ["--num-members", 1, "--hidden-dim", 16, "--num-blocks", 1, "--num-intents", 6]
SMALL += ["--max-length", 20, "--epochs", 2]


@pytest.fixture(scope="module")
def sequence_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "log.txt"
    log, _ = planted_intents(num_users=200, num_items=60, num_intents=6)
    rows = [
        " ".join([str(user + 1), *(str(item - 2) for item in log.item_ids[start:end])])
        for user, (start, end) in enumerate(zip(log.offsets, log.offsets[1:], strict=False))
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(sequence_file, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    return run("train", "--data", sequence_file, "--output", output, *SMALL), output


def test_training_prints_what_it_does(trained):
    result, output = trained
    assert result.returncode == 0, result.stderr
    for word in (
        *("Data: 200 users", "clustered on: CPU", "6 intents", "moved"),
        *("next_item ", "intent_contrast ", "validation NDCG@20"),
        *("Epoch 2 of 2", "HR@5", "MRR@20", "popularity", str(output)),
    ):
        assert word in result.stdout
    figures = (output / "train.log").read_text()
    for word in ("K=6: inertia", "cluster sizes", "empty", "val_NDCG@20: "):
        assert word in figures
    assert result.stderr == ""


def test_training_shows_lists_beside_those_of_popularity(trained):
    result, output = trained
    metrics = json.loads((output / "metrics.json").read_text())
    header, own, popular, *_ = result.stdout.split("Lists of 20")[1].splitlines()[1:]
    names = ["Coverage@20", "Novelty@20", "Diversity@20"]
    assert header.split() == names
    shown = [f"{metrics['lists'][name]:.4f}" for name in names]
    assert own.split() == ["iclrec", *shown]
    shown = [f"{metrics['yardsticks']['popularity']['lists'][name]:.4f}" for name in names]
    assert popular.split() == ["popularity", *shown]


def test_evaluate_repeats_the_figures_exactly(trained):
    _, output = trained
    metrics = json.loads((output / "metrics.json").read_text())
    result = run_here("evaluate", output, "--json")
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed == {name: metrics[name] for name in ("test", "lists", "intervals", "groups")}
    result = run_here("evaluate", output, "--split", "valid", "--json")
    assert json.loads(result.stdout)["valid"] == metrics["valid"]


def test_prepared_data_trains_as_the_log_itself(sequence_file, trained, tmp_path):
    prepared, output = tmp_path / "new" / "prepared", tmp_path / "run"
    result = run("prepare", "--data", sequence_file, "--output", prepared)
    assert (result.returncode, result.stderr) == (0, "")
    assert "200 users" in result.stdout
    result = run_here("train", "--data", prepared, "--output", output, *SMALL)
    assert result.returncode == 0, result.stderr
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (output, trained[1])]
    assert metrics[0] == metrics[1]
    again = ["--data", sequence_file, "--output", prepared, "--repeats", "first"]
    refused("exists. Use --overwrite", "prepare", *again)
    nowhere = run_here("prepare", "--data", "nowhere.csv", "--output", tmp_path / "other")
    check_refused(nowhere, "No such file or folder")
    assert not (tmp_path / "other").exists()
    # Only options about data are there.
    refused("Unknown option --epochs", "prepare", "--output", tmp_path / "other", "--epochs", 3)


def test_evaluate_prints_a_table(trained):
    _, output = trained
    result = run_here("evaluate", output)
    hit_rate = json.loads((output / "metrics.json").read_text())["test"]["HR@5"]
    assert f"{hit_rate:.4f}" in result.stdout
    assert "Split: each user's last item for the test, the one before" in result.stdout
    assert "\nBy items in the history\n" in result.stdout


def test_evaluate_looks_at_the_lists_and_groups_asked_for(trained):
    _, output = trained
    result = run_here("evaluate", output, "--k", 5, "--groups", "popularity", "--json")
    printed = json.loads(result.stdout)
    assert list(printed["groups"]) == ["popularity"]
    assert {"Coverage@5", "Diversity@5", "IntentCalibration@5"} <= printed["lists"].keys()
    assert "\nBy " not in run_here("evaluate", output, "--groups").stdout
    refused("--k must be at least 1", "evaluate", output, "--k", 0)
    refused("invalid choice: 'age'", "evaluate", output, "--groups", "age")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--split", "time:0.2"], "The log has no times"),
        (["--split", "time:0.2", "--split-targets", "next"], "split_targets must be one of last"),
        (["--split-at", "0.2"], "iclrec does not read split_at: choose --split time"),
        (["--init-from", "nowhere"], "nowhere is not a run directory"),
        (["--model", "ease", "--init-from", "nowhere"], "nowhere is not a run directory"),
    ],
)
def test_splits_and_starts_that_can_not_be_get_one_clear_line(
    sequence_file, tmp_path, given, message
):
    output = tmp_path / "run"
    refused(message, "train", "--data", sequence_file, "--output", output, *given)
    assert not output.exists()


@pytest.fixture(scope="module")
def items_table(tmp_path_factory):
    """Brands of ten items each; of the sixty items six are unknown and three missing."""
    path = tmp_path_factory.mktemp("items") / "items.tsv"
    rows = [f"{item}\t{f'brand {item // 10}' if item % 10 else ''}" for item in range(1, 58)]
    path.write_text("\n".join(["sku\tbrand", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def trained_with_providers(sequence_file, items_table, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["--data", sequence_file, "--output", output, *SMALL, "--model", "iclrec_ips_s"]
    arguments += ["--provider-weight", 0.1, "--items", items_table]
    arguments += ["--item-column", "sku", "--provider-column", "brand"]
    return run_here("train", *arguments), output


def test_training_with_providers_says_how_many_are_known(trained_with_providers, items_table):
    result, _ = trained_with_providers
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Providers: ")]
    assert re.fullmatch(
        r"Providers: 6, known for 52 of 60 items and \d\d\.\d% of interactions; "
        rf"3 items are not in {items_table}",
        line,
    )
    assert "item_provider_contrast " in result.stdout
    assert result.stderr == ""


def test_evaluate_shows_users_by_their_providers(trained_with_providers):
    _, output = trained_with_providers
    result = run("evaluate", output, "--json")
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["test"] == json.loads((output / "metrics.json").read_text())["test"]
    groups = printed["groups"]["provider"]
    assert list(groups) == ["mostly known", "mostly unknown"]
    assert sum(group["users"] for group in groups.values()) == 200
    known, unknown = groups.values()
    assert known["MRR@20"] != unknown["MRR@20"]
    for name, value in printed["test"].items():
        total = sum(group["users"] * group[name] for group in groups.values())
        assert total / 200 == pytest.approx(value, rel=1e-5)

    table = run_here("evaluate", output).stdout
    overall, by_group = table.split("By known providers in the history\n")
    assert f"{printed['test']['HR@5']:.4f}" in overall
    header, users, rate, *_ = by_group.splitlines()
    assert header.split() == ["all", "mostly", "known", "mostly", "unknown"]
    assert users.split() == ["users", "200", *(str(group["users"]) for group in groups.values())]
    assert rate.split()[2:] == [f"{group['HR@5']:.4f}" for group in groups.values()]


def test_evaluate_compares_two_runs(trained, trained_with_providers, tmp_path):
    runs = [output for _, output in (trained_with_providers, trained)]
    hits = [json.loads((run / "metrics.json").read_text())["test"]["HR@20"] for run in runs]
    result = run_here("evaluate", runs[0], "--compare", runs[1])
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("HR@20 ")]
    assert line.split()[1:4] == [f"{x:.4f}" for x in (*hits, hits[0] - hits[1])]
    printed = json.loads(run_here("evaluate", runs[0], "--compare", runs[1], "--json").stdout)
    metric = printed["comparison"]["HR@20"]
    assert metric["difference"] == pytest.approx(hits[0] - hits[1])
    assert line.split()[4] == f"{metric['p_value']:.4f}"
    other = tmp_path / "log.txt"
    other.write_text("".join(f"{user} 1 2 3 4\n" for user in range(1, 9)))
    run_here("train", "--data", other, "--model", "transitions", "--output", tmp_path / "run")
    refused("their users are not the same", "evaluate", runs[0], "--compare", tmp_path / "run")


def test_a_saved_configuration_can_be_used_again(trained, sequence_file, tmp_path):
    _, output = trained
    arguments = ["--config", output / "config.json", "--output", tmp_path / "run"]
    result = run_here("train", *arguments, "--epochs", 1, "--model", "sasrec")
    assert result.returncode == 0, result.stderr
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"] == "sasrec"
    assert (config["encoder"]["hidden_dim"], config["training"]["epochs"]) == (16, 1)
    assert config["intent_contrast"] == config["sequence_contrast"] == {"weight": 0.0}
    assert "intents" not in config
    assert config["data"]["source"] == [str(sequence_file)]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
def test_a_stopped_training_resumes(sequence_file, tmp_path, stop, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    output = tmp_path / "run"
    arguments = ["--data", sequence_file, "--output", output, *SMALL, "--epochs", 400]
    arguments += ["--patience", 400]
    code, errors = run_until(output / "history.csv", stop, "train", *arguments)
    if stop == signal.SIGINT:
        assert code == 130
        assert errors.count("\n") == 1
        assert "--resume" in errors
        assert not list((tmp_path / "temporary").iterdir())
    done = json.loads((output / "checkpoints" / "state.json").read_text())["epochs_done"]
    result = run_here("train", "--resume", "--output", output, "--epochs", done + 1)
    assert result.returncode == 0, result.stderr
    assert f"Resuming after epoch {done}" in result.stdout
    assert len((output / "history.csv").read_text().splitlines()) == done + 2


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
        "item_id,provider\n1,acme\n2,best\n1,cosy\n",
        "item '1' has two values in column 'provider', 'acme' and 'cosy'",
    ),
    "missing column": (
        "item_id,brand\n1,acme\n",
        "has no column 'category'. Columns there are: item_id, brand. Name yours with",
    ),
    "missing attribute": (
        "item_id,provider\n1,acme\n",
        "has no column 'category'. Columns there are: item_id, provider. Name yours with",
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


def test_an_output_must_be_named():
    """In a process of its own, as the exit code of one is what a shell sees."""
    check_refused(run("train", "--model", "sasrec"), "Name a folder to write with --output")


def test_an_existing_run_is_kept(trained):
    _, output = trained
    before = (output / "metrics.json").read_bytes()
    refused("already holds a run", "train", "--output", output)
    both = run_here("train", "--output", output, "--resume", "--overwrite")
    check_refused(both, "--resume and --overwrite exclude each other")
    assert (output / "metrics.json").read_bytes() == before


def test_evaluate_refuses_a_folder_without_a_run(tmp_path):
    refused("is not a run directory", "evaluate", tmp_path)


def test_convert_refuses_other_files(tmp_path, sequence_file):
    (tmp_path / "weights.npz").write_text("not an archive")
    arguments = ["--data", sequence_file, "--output", tmp_path / "run"]
    refused("is not a NumPy .npz file", "convert", tmp_path / "weights.npz", *arguments)
    refused("No such file", "convert", tmp_path / "nowhere.npz", *arguments)


@pytest.mark.slow
def test_published_weights_give_the_published_figures(shared, tmp_path):
    golden = shared / "golden" / "iclrec_beauty"
    data = shared / "data" / "sequences" / "Beauty.txt"
    output = tmp_path / "run"
    result = run("convert", golden / "weights.npz", "--data", data, "--output", output)
    assert result.returncode == 0, result.stderr
    published = json.loads((golden / "metrics.json").read_text())
    result = run("evaluate", output, "--json")
    assert result.returncode == 0, result.stderr
    refused("was not trained in epochs", "train", "--resume", "--output", output)
    metrics = json.loads(result.stdout)["test"]
    assert {name: round(metrics[name], 4) for name in published} == {
        name: round(value, 4) for name, value in published.items()
    }


@pytest.mark.parametrize(
    "module", ["train", "evaluate", "convert", "export", "recommend", "prepare"]
)
def test_help_explains_every_option(module):
    result = run_here(module, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "usage: python -m tf_iclrec" in result.stdout
    # Each option, alone or before what it takes, has a line of text beside or under it.
    entries = re.findall(r"^  (-.*(?:\n(?!  -|\n|\w).*)*)", result.stdout, flags=re.MULTILINE)
    assert len(entries) > 1
    for entry in entries:
        assert re.search(r"(  |\n +)\w.*\w", entry), entry


def test_all_models_are_listed():
    result = run_here("train", "--list-models")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == systems_table() + "\n"
