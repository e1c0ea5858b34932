"""One more contrast, in a module of one's own: it has a section, options and its part of the loss,
and commands know it once its module is imported."""

import sys

import pytest

from tf_iclrec import CONTRASTS, UserError, make_config

from ..command_line import refused, run_here
from ..small_runs import read_history, write_log

MODULE = '''
import keras
import tf_iclrec
from keras import ops


@keras.saving.register_keras_serializable("own_contrast")
class ShortVectors(tf_iclrec.Contrast):
    """The mean square of what sequences are pooled to."""

    name = "short"
    prefix = "short_"
    title = "Short vectors"

    def __call__(self, encoded):
        return ops.mean(ops.square(ops.cast(encoded.own_vectors, "float32")))


tf_iclrec.CONTRASTS["short"] = ShortVectors
'''


def forget():
    """As in another process."""
    CONTRASTS.pop("short", None)
    sys.modules.pop("own_contrast", None)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module in the working directory."""
    (tmp_path / "own_contrast.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    yield "own_contrast"
    forget()


def test_it_is_a_section_like_the_others(module, monkeypatch):
    monkeypatch.syspath_prepend(".")
    with pytest.raises(UserError, match="Unknown setting 'short_weight'"):
        make_config(model="sasrec", short_weight=0.2)
    __import__(module)
    config = make_config(model="sasrec", short_weight=0.2, short_temperature=2.0)
    assert config.short == {
        "weight": 0.2,
        "temperature": 2.0,
        "normalize": True,
        "mitigate_false_negatives": False,
    }
    # Off, as any contrast, where nobody turns it on.
    assert make_config(model="iclrec").short == {"weight": 0.0}
    forget()
    assert "short" not in make_config(model="iclrec")


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_commands_import_it(module, tmp_path):
    train = ["--data", write_log(tmp_path / "log"), "--model", "sasrec", "--hidden-dim", 8]
    train += ["--max-length", 10, "--epochs", 4, "--learning-rate", 0.003, "--num-blocks", 1]
    train += ["--short-weight", 100, "--output", "run"]
    refused("Unknown option --short-weight", "train", *train)
    result = run_here("train", "--import", module, *train)
    assert result.returncode == 0, result.stderr
    first, *_, last = (float(row["short"]) for row in read_history(tmp_path / "run"))
    assert 0 < last < first
    help_text = run_here("train", "--import", module, "--model", "sasrec", "--help").stdout
    assert "Short vectors:\n  --short-weight FLOAT" in help_text
    forget()
    hint = "If the run has a part of your own, import its module first: --import MODULE."
    refused("unknown setting 'short' at the top", "evaluate", "run")
    refused(hint, "evaluate", "run")
    refused(hint, "train", "--resume", "--output", "run")
    result = run_here("evaluate", "run", "--import", module)
    assert result.returncode == 0, result.stderr
    assert "NDCG@20" in result.stdout


@pytest.mark.parametrize("name", ["nowhere", "nowhere.at.all", "own_contrast.py", "./own", ""])
def test_a_module_that_is_not_there_is_one_line(module, name):
    refused(f"There is no module {name!r} to import", "train", "--import", name)


def test_what_the_module_itself_lacks_is_its_own_error(module, tmp_path):
    (tmp_path / "own_contrast.py").write_text("import nowhere_else\n")
    with pytest.raises(ModuleNotFoundError, match="nowhere_else"):
        run_here("train", "--import", module)
