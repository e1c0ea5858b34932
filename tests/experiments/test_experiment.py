"""What an experiment refuses."""

import pytest

from tf_iclrec import UserError
from tf_iclrec.experiments import Dataset, Experiment, Row


def test_what_is_misspelled_is_said_before_anything_is_trained():
    rows, data = (Row("transitions"),), (Dataset("shop", "completejourney"),)
    with pytest.raises(ValueError, match=r"Unknown metric 'NDGC@20': did you mean 'NDCG@20'"):
        Experiment("mine", "Mine", data, rows, metrics=("NDGC@20",))
    with pytest.raises(UserError, match="'epoch': did you mean 'epochs'"):
        Experiment("mine", "Mine", data, rows, settings={"epoch": 3}).trials()
    with pytest.raises(ValueError, match=r"The seeds of mine are seeds=\(0, 1, 2\), not in its"):
        Experiment("mine", "Mine", data, rows, settings={"seed": 3})


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": "gru", "gru_dim": 32},
        {"intent_weight": 0.1, "num_intents": (32,)},
        {"sequence_weight": 0.1, "crop_ratio": 0.6},
    ],
)
def test_settings_that_others_turn_on_count(settings):
    data, rows = [Dataset("shop", "completejourney")], [Row("sasrec"), Row("ease")]
    neural, ease = Experiment("mine", "Mine", data, rows, settings=settings).trials()
    assert {name: neural.config.options()[name] for name in settings} == settings
    assert not settings.keys() & ease.config.options().keys()
