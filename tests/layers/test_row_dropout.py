"""Dropout that leaves something of every row."""

import keras
import numpy as np
import pytest
from keras import ops

from tf_iclrec import fit, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.layers.row_dropout import RowDropout


def test_a_row_of_which_all_was_dropped_stays_as_it_is():
    rows = np.random.default_rng(0).normal(size=(2000, 4)).astype("float32")
    plain = keras.layers.Dropout(0.5, seed=3)(rows, training=True).numpy()
    kept = RowDropout(0.5, seed=3)(rows, training=True).numpy()
    gone = ~plain.any(axis=-1)
    assert 80 < gone.sum() < 170
    np.testing.assert_array_equal(kept[gone], rows[gone])
    np.testing.assert_array_equal(kept[~gone], plain[~gone])
    np.testing.assert_array_equal(RowDropout(0.5)(rows), rows)


def test_of_wide_rows_it_is_plain_dropout():
    rows = ops.ones((50, 64))
    plain = keras.layers.Dropout(0.5, seed=3)(rows, training=True)
    np.testing.assert_array_equal(RowDropout(0.5, seed=3)(rows, training=True), plain)


@pytest.mark.parametrize("encoder", ["self_attentive", "hstu", "ligr"])
@pytest.mark.usefixtures("not_exported", "not_compared")
def test_a_narrow_model_trains(encoder, tmp_path):
    """With plain dropout the gradient of a first position of which all was dropped overflows."""
    log, _ = planted_intents(num_users=200, num_items=60, num_intents=6)
    small = {"hidden_dim": 8, "max_length": 10, "epochs": 1}
    run = fit(make_config("sasrec", encoder=encoder, **small), tmp_path / "run", interactions=log)
    assert all(np.isfinite(weight).all() for weight in run.model.get_weights())
