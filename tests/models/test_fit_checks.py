"""What `fit` says before it trains."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, build_model, leave_one_out, make_config, training_batches
from tf_iclrec.data.augmentation import ViewRatios

LOG = Interactions.from_sequences({"ann": "abcd", "bob": "bcda", "cat": "dbca"})
LOG = LOG.with_item_providers({"a": "acme", "b": "best", "c": "acme"})
LOG = LOG.with_item_attribute("kind", {"a": "tea", "b": "tea", "c": "oil"})
SPLIT = leave_one_out(LOG)


def new_model(name="sasrec", **settings):
    small = {"hidden_dim": 4, "num_blocks": 1, "max_length": 5, "item_initialization": "random"}
    return build_model(make_config(name, **small | settings), LOG.catalogue)


def fit(model, **settings):
    model.compile("adam", run_eagerly=True)
    batches = training_batches(SPLIT, model=model, views=ViewRatios(), max_length=5)
    model.fit(batches, shuffle=False, verbose=0, **settings)


@pytest.mark.parametrize("name", ["ipsrec_s", "ipsrec_c", "iclrec_categories"])
def test_copies_that_know_nothing_of_items_are_refused(name):
    attributes = {} if name == "iclrec_categories" else {"provider_weight": 0.0}
    model = new_model(name, **attributes)
    copy = keras.models.clone_model(model)
    with pytest.raises(ValueError, match=r"set_weights\(original\.get_weights\(\)\) brings them"):
        fit(copy)
    copy.build()
    copy.set_weights(model.get_weights())
    fit(copy)
    batch = {"item_ids": np.array([[3, 4]], dtype="int32")}
    assert np.isfinite(copy(batch)).all()


def test_weights_of_classes_are_refused():
    with pytest.raises(ValueError, match="class_weight is not read"):
        fit(new_model(), class_weight={0: 1.0})


@pytest.mark.parametrize("name", ["sasrec", "bert4rec", "gru4rec"])
def test_ragged_sequences_are_refused(name):
    ragged = tf.ragged.constant([[3, 4], [5]], dtype="int32")
    model = build_model(make_config(name, hidden_dim=4), LOG.catalogue)
    with pytest.raises(ValueError, match="pad them with 0, such as by to_tensor"):
        model({"item_ids": ragged})
