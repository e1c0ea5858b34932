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
