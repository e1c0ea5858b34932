"""What an experiment trains, and what its trainings are known by."""

import dataclasses
import hashlib
import importlib
import itertools
import textwrap
from pathlib import Path

import pytest

from tf_iclrec import CONTRASTS, ENCODERS, SPLITS, make_config
from tf_iclrec.errors import UserError
from tf_iclrec.experiments import Dataset, Row
from tf_iclrec.experiments.measurement import Measurement
from tf_iclrec.experiments.parts.noise import noise_measurement
from tf_iclrec.experiments.parts.vectors import vectors_measurement
from tf_iclrec.experiments.trial import Trial


def named(**settings):
    return Trial("shop", "SASRec", make_config("sasrec", **settings), "of the data").name


def imported(path, text):
    """A module of one's own, in a folder that is searched."""
    path.write_text(textwrap.dedent(text))
    return importlib.import_module(path.stem)


def test_every_row_is_trained_on_every_data_set_with_every_seed(experiment, sequences):
    trials = experiment.trials(sequences)
    # What has no seed is trained once.
    assert [(one.row, one.seed) for one in trials] == [
        ("Counts", None),
        ("EASE", None),
        ("SASRec", 0),
        ("SASRec", 1),
    ]
    config = trials[2].config
    assert (config.training.epochs, config.data.source) == (
        2,
        (str(sequences / "below" / "walks.txt"),),
    )
    assert trials[2].name.startswith("Walks-sasrec-0-")


def test_a_setting_of_a_data_set_wins_over_the_rows(experiment, sequences):
    own = {"Walks": {"hidden_dim": 24}}
    row = Row("mine", "Mine", "sasrec", {"hidden_dim": 16, "num_blocks": 3}, own)
    changed = dataclasses.replace(experiment, rows=(row,), settings={}, seeds=(0,))
    [trial] = changed.trials(sequences)
    assert (trial.config.encoder.hidden_dim, trial.config.encoder.num_blocks) == (24, 3)


def test_what_makes_another_training():
    names = [named(), named(seed=1), named(hidden_dim=64), named(loss="bpr"), named(num_members=2)]
    assert len({*names}) == len(names)
    model = Trial("shop", "SASRec", make_config("cl4srec"), "of the data").name
    data = Trial("shop", "SASRec", make_config("sasrec"), "of other data").name
    assert len({*names, model, data}) == len(names) + 2


def test_what_does_not():
    # Neither where the data are, nor what is a default, nor what it is called.
    assert named(data="here/log.csv") == named(data="there/log.csv") == named(hidden_dim=256)
    assert named() == Trial("shop", "Self", make_config("sasrec"), "of the data").name


def test_names_are_for_one_thing_each(experiment):
    with pytest.raises(ValueError, match="Two labels of rows of tiny have the same name"):
        dataclasses.replace(experiment, rows=(Row("a", "SASRec"), Row("b", "SASRec")))


def test_a_folder_is_called_by_what_a_folder_can_be_called():
    trial = Trial("my shop/2017", "Counts", make_config("transitions"), "of the data")
    assert trial.name.startswith("my_shop_2017-transitions-")


def test_data_count_by_their_bytes(experiment, tmp_path):
    names = []
    for text in ("1 1 2 3\n", "1 1 2 4\n", "1 1 2 3\n"):
        (tmp_path / "walks.txt").write_text(text)
        names.append(experiment.trials(tmp_path)[0].name)
    assert names[0] == names[2] != names[1]


def test_what_is_measured_by_the_table_of_items_is_another_answer_for_another_one(
    experiment, tmp_path
):
    data = Dataset("Walks", "walks.txt", "shops.tsv")
    changed = dataclasses.replace(
        experiment,
        datasets=(data,),
        measurements=(vectors_measurement(), noise_measurement((1.0,))),
    )
    (tmp_path / "walks.txt").write_text("1 1 2 3\n")
    trials = []
    for text in ("1\ttea\n", "1\tjam\n", "1\ttea\n"):
        (tmp_path / "shops.tsv").write_text("item_id\tcategories\n" + text)
        trials.append(changed.trials(tmp_path)[0])
    vectors, noise = ([one.measurements[place].file for one in trials] for place in (0, 1))
    assert vectors[0] == vectors[2] != vectors[1]
    # Neither what else is measured, nor the training, depends on it.
    assert len({*noise}) == len({one.name for one in trials}) == 1
    assert noise[0] == noise_measurement((1.0,)).file


def test_each_file_is_read_once_for_all_rows(experiment, tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    for name in ("logs/1.csv", "logs/2.csv", "shops.tsv"):
        (tmp_path / name).write_text("user_id,item_id,timestamp,provider\n1,2,3,4\n")
    rows = (Row("ease"), Row("counts", "Counts", "transitions", items=True))
    data = Dataset("Walks", "logs", "shops.tsv")
    changed = dataclasses.replace(experiment, datasets=(data,), rows=rows)
    digest, read = hashlib.file_digest, []
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: read.append(file.name) or digest(file, kind)
    )
    plain, with_items = (one.data for one in changed.trials(tmp_path))
    assert sorted(read) == sorted(map(str, tmp_path.rglob("*.?sv")))
    # As before that was so: trainings are known by it.
    of_files = [hashlib.sha256(Path(name).read_bytes()).digest() for name in sorted(read)]
    assert plain == hashlib.sha256(b"logs" + b"".join(of_files[:2])).hexdigest()
    assert with_items == hashlib.sha256(b"logs" + b"".join(of_files)).hexdigest()


def test_an_encoder_of_ones_own_counts_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    names = []
    for number, factor in enumerate((1, 2, 1)):
        text = f"""
            import tf_iclrec
            # Number {number}.
            class Scaled(tf_iclrec.Encoder):
                def encode(self, items, valid, training):
                    return items * {factor}
            """
        module = imported(tmp_path / f"own{number}.py", text)
        monkeypatch.setitem(ENCODERS, "scaled", module.Scaled)
        names.append(named(encoder="scaled"))
    assert names[0] == names[2] != names[1]


def test_so_does_what_it_is_made_of(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    names = []
    for number, (factor, unused) in enumerate([(1, 1), (2, 1), (1, 2)]):
        text = f"""
            import tf_iclrec
            def unused(x):
                return x * {unused}
            def scaled(x):
                return x * {factor}
            class Base(tf_iclrec.Encoder):
                def encode(self, items, valid, training):
                    return scaled(items)
            class Scaled(Base):
                pass
            """
        module = imported(tmp_path / f"made{number}.py", text)
        monkeypatch.setitem(ENCODERS, "scaled", module.Scaled)
        names.append(named(encoder="scaled"))
    assert names[0] == names[2] != names[1]


def test_so_does_a_number_of_its_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = """
        import tf_iclrec
        FACTOR, UNUSED = 2, 3
        class Scaled(tf_iclrec.Encoder):
            def encode(self, items, valid, training):
                return items * FACTOR
        """
    module = imported(tmp_path / "numbered.py", text)
    monkeypatch.setitem(ENCODERS, "scaled", module.Scaled)
    before = named(encoder="scaled")
    monkeypatch.setattr(module, "UNUSED", 4)
    assert named(encoder="scaled") == before
    monkeypatch.setattr(module, "FACTOR", 4)
    assert named(encoder="scaled") != before


@pytest.mark.parametrize("changed", ["SHARE", "SHARES", "base"])
def test_so_does_what_is_in_a_module_beside(tmp_path, monkeypatch, changed):
    monkeypatch.syspath_prepend(tmp_path)
    helper = f"helper_{changed}"
    imported(
        tmp_path / f"{helper}.py",
        """
        import tf_iclrec
        SHARE, SHARES, UNUSED = 0.5, (0.5, 0.9), 1
        def base(log):
            return tf_iclrec.leave_one_out(log)
        def other(log):
            return base(log), SHARE
        """,
    )
    module = imported(
        tmp_path / f"splits_{changed}.py",
        f"""
        import {helper} as helper
        from {helper} import base, SHARES
        def mine(log):
            return base(log), helper.SHARE, SHARES[0]
        """,
    )
    monkeypatch.setitem(SPLITS, "mine", module.mine)
    before = named(split="mine")
    monkeypatch.setattr(module.helper, "UNUSED", 2)
    assert named(split="mine") == before
    if changed == "base":
        monkeypatch.setattr(module, "base", module.helper.other)
    else:
        monkeypatch.setattr(module if changed == "SHARES" else module.helper, changed, (0.6,))
    assert named(split="mine") != before


def test_a_measurement_of_ones_own_counts_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    files = []
    for number, least in enumerate((8, 9, 8)):
        text = f"""
            # Number {number}.
            def long(run):
                return int((run.interactions.lengths >= {least}).sum())
            """
        module = imported(tmp_path / f"measured{number}.py", text)
        files.append(Measurement("long", module.long).file)
    assert files[0] == files[2] != files[1]


def test_a_contrast_of_ones_own_counts_where_it_is_on(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    before = named()
    text = """
        import tf_iclrec
        class Short(tf_iclrec.Contrast):
            name, prefix, title = "short", "short_", "Short vectors"
            def __call__(self, encoded):
                return 0.0
        """
    monkeypatch.setitem(CONTRASTS, "short", imported(tmp_path / "short_one.py", text).Short)
    assert named() == before
    assert named(short_weight=0.1) != before


def test_a_part_of_an_experiment(experiment, sequences):
    part = experiment.only(models=["sasrec", "gru4rec"], seeds=[5])
    labels = [(one.row, one.seed, one.config.model) for one in part.trials(sequences)]
    assert labels == [("SASRec", 5, "sasrec"), ("gru4rec", 5, "gru4rec")]


def test_what_is_named_twice_counts_once(experiment, sequences):
    rows = (Row("wide", "Wide", "sasrec"), *experiment.rows)
    changed = dataclasses.replace(experiment, rows=rows)
    once = changed.only(["Walks"], ["wide", "sasrec"], [5]).trials(sequences)
    twice = changed.only(["Walks"] * 2, ["wide", "sasrec", "wide", "sasrec"], [5, 5])
    assert twice.trials(sequences) == once
    assert [row.label for row in twice.rows] == ["Wide", "SASRec"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"models": ["sasrek"]}, "Unknown model 'sasrek': did you mean 'sasrec'?"),
        ({"datasets": ["Walk"]}, "Unknown data set 'Walk': did you mean 'Walks'?"),
    ],
)
def test_what_is_not_there_is_refused(experiment, part, message):
    with pytest.raises(UserError) as refused:
        experiment.only(**part)
    assert str(refused.value) == message


def test_missing_files_are_named_with_their_source(experiment, tmp_path):
    with pytest.raises(UserError) as refused:
        experiment.trials(tmp_path)
    assert str(refused.value) == (
        f"Walks needs walks.txt, not found in {tmp_path}. The test writes it."
    )


def test_a_setting_that_is_none_is_said_of_its_row(experiment, sequences):
    changed = dataclasses.replace(experiment, rows=(Row("x", "X", "sasrec", {"widht": 3}),))
    with pytest.raises(UserError, match="X: Unknown setting 'widht'"):
        changed.trials(sequences)


def test_all_settings_make_another_training():
    """None is forgotten, but for the paths of the data."""
    config = make_config("iclrec_published")
    changes = {
        "intent_weight": 0.2,
        "patience": 3,
        "filter_seen": False,
        "split": "time:2017-01-01",
    }
    changes |= {"learning_rate": 0.01, "intent_fnm": True, "min_item_count": 5}
    names = [
        Trial("shop", "ICLRec", make_config("iclrec_published", **dict([one])), "data").name
        for one in changes.items()
    ]
    names.append(Trial("shop", "ICLRec", config, "data").name)
    assert all(one != other for one, other in itertools.combinations(names, 2))
