"""Training, evaluating and converting from the command line."""

import json
import re
import signal

import pytest

from tf_iclrec.systems.table import systems_table

from .afterwards import AFTERWARDS, training_without
from .command_line import check_refused, refused, run, run_here, run_until
from .small_runs import write_sequence_file

SMALL = ["--hidden-dim", 16, "--num-blocks", 1, "--num-intents", 6]
SMALL += ["--max-length", 20, "--epochs", 2]
# What is trained is neither exported nor compared with popularity, at which the test doesn't look.
without_extras = pytest.mark.usefixtures("not_exported", "not_compared")


@pytest.fixture(scope="module")
def sequence_file(tmp_path_factory):
    return write_sequence_file(tmp_path_factory.mktemp("data") / "log.txt")


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


@without_extras
def test_prepared_data_trains_as_the_log_itself(sequence_file, tmp_path):
    prepared, output = tmp_path / "new" / "prepared", tmp_path / "run"
    result = run_here("prepare", "--data", sequence_file, "--output", prepared)
    assert (result.returncode, result.stderr) == (0, "")
    assert "200 users" in result.stdout
    metrics = []
    for data, run_of in ((prepared, output), (sequence_file, tmp_path / "as it is")):
        arguments = ["--data", data, "--output", run_of, "--model", "transitions"]
        result = run_here("train", *arguments)
        assert result.returncode == 0, result.stderr
        metrics.append(json.loads((run_of / "metrics.json").read_text()))
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
    with training_without(*AFTERWARDS):
        return run_here("train", *arguments), output


def test_training_with_providers_says_how_many_are_known(trained_with_providers, items_table):
    result, _ = trained_with_providers
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("Providers: ")]
    assert re.fullmatch(
        r"Providers: 6, known for 52 of 60 items and \d\d\.\d% of interactions; "
        rf"not in {items_table}: 3 items",
        line,
    )
    assert "item_provider_contrast " in result.stdout
    assert result.stderr == ""


def test_evaluate_shows_users_by_their_providers(trained_with_providers):
    _, output = trained_with_providers
    result = run_here("evaluate", output, "--json")
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


@without_extras
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
    assert line.split()[4] == f"{metric['p_value']:.3f}"
    assert line.split()[5] == f"{metric['p_value_holm']:.3f}"
    other = tmp_path / "log.txt"
    other.write_text("".join(f"{user} 1 2 3 4\n" for user in range(1, 9)))
    run_here("train", "--data", other, "--model", "transitions", "--output", tmp_path / "run")
    refused("their users are not the same", "evaluate", runs[0], "--compare", tmp_path / "run")


@without_extras
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


@without_extras
def test_a_stopped_training_resumes(sequence_file, tmp_path, monkeypatch):
    """By Ctrl-C; `tests/faults` kills one."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    output = tmp_path / "run"
    arguments = ["--data", sequence_file, "--output", output, *SMALL, "--horizon", 1]
    arguments += ["--epochs", 400, "--patience", 400]
    code, errors = run_until(output / "history.csv", signal.SIGINT, "train", *arguments)
    assert code == 130
    assert errors.count("\n") == 1
    assert "--resume" in errors
    assert not list((tmp_path / "temporary").iterdir())
    done = json.loads((output / "checkpoints" / "state.json").read_text())["epochs_done"]
    result = run_here("train", "--resume", "--output", output, "--epochs", done + 1)
    assert result.returncode == 0, result.stderr
    assert f"Resuming after epoch {done}" in result.stdout
    assert len((output / "history.csv").read_text().splitlines()) == done + 2


def test_an_output_must_be_named():
    refused("Name a folder to write with --output", "train", "--model", "sasrec")


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
@without_extras
def test_published_weights_give_the_published_figures(shared, tmp_path):
    golden = shared / "golden" / "iclrec_beauty"
    data = shared / "data" / "sequences" / "Beauty.txt"
    output = tmp_path / "run"
    result = run_here("convert", golden / "weights.npz", "--data", data, "--output", output)
    assert result.returncode == 0, result.stderr
    published = json.loads((golden / "metrics.json").read_text())
    result = run_here("evaluate", output, "--json")
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
