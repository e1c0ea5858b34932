"""What holds for every encoder that is saved, or made again from its settings."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import SequentialRecommender, SoftmaxCrossEntropy
from tf_iclrec.encoders.encoder import Encoder
from tf_iclrec.encoders.registry import ENCODERS
from tf_iclrec.settings import settings_of

from .every_encoder import BATCH, Case, in_each_variant, of_each_name, variants, ways


@of_each_name
def test_every_argument_comes_back_from_the_config(name):
    kind, given = ENCODERS[name], {}
    for owner in kind.__mro__[: kind.__mro__.index(Encoder) + 1]:
        for parameter in inspect.signature(owner).parameters.values():
            if (
                parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                or parameter.kind is parameter.KEYWORD_ONLY
            ):
                given.setdefault(parameter.name, another_value(parameter.default))
    assert given.keys() >= settings_of(kind).keys()
    config = kind(**given).get_config()
    assert config.items() >= given.items()
    assert kind.from_config(config).get_config() == config


def another_value(default):
    """What an argument can be as well as this default."""
    if default is None or default is inspect.Parameter.empty:
        return 24
    other = {bool: lambda: not default, int: lambda: default + 2, float: lambda: default / 2}
    return other.get(type(default), lambda: (*default, 8))()


@in_each_variant
def test_is_a_layer_of_a_functional_model(variant):
    inputs = {"item_ids": keras.Input((None,), dtype="int32", name="item_ids")}
    states = variant.encoder(inputs)
    width = variant.encoder.state_dim // variant.encoder.num_streams
    assert {one.shape for one in keras.tree.flatten(states)} == {(None, None, width)}
    found = np.stack(keras.tree.flatten(keras.Model(inputs, states)({"item_ids": BATCH})))
    alone = ways(variant, without=("users", "providers"))[-1]
    np.testing.assert_array_equal(found, alone.encoded_batch())


@in_each_variant
def test_saved_and_loaded_it_gives_the_same(variant, tmp_path):
    model = SequentialRecommender(variant.encoder, [SoftmaxCrossEntropy()])
    model.build()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    task = loaded.encoder.task
    assert (type(task), vars(task)) == (type(model.encoder.task), vars(model.encoder.task))
    # What is known of the items is saved with the encoder.
    for case in ways(variant, without=("users", "providers")):
        inputs = case.inputs(BATCH)
        np.testing.assert_array_equal(loaded(inputs), model(inputs))
        states = case.encode(BATCH, encoder=loaded.encoder)
        np.testing.assert_array_equal(states, case.encoded_batch())


SERVED = [
    *(case for name in ENCODERS for case in ways(Case(name))),
    # A layer that the default has not.
    *variants("gru")[1:],
    # With its mask it may be longer than the table of positions.
    *variants("bidirectional")[1:],
]


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_runs_in_a_saved_model(case, tmp_path):
    encoder = case.encoder
    specs = {
        name: tf.TensorSpec([None] * value.ndim, tf.int32)
        for name, value in case.inputs(BATCH).items()
    }

    def encode(inputs):
        return keras.tree.flatten(encoder(encoder.ask_next(inputs)))

    served = tf.Module()
    served.encoder = encoder
    served.encode = tf.function(encode, input_signature=[specs], autograph=False)
    tf.saved_model.save(served, tmp_path / "served")
    loaded = tf.saved_model.load(tmp_path / "served")
    for ids in (BATCH, BATCH[:1, :3]):
        inputs = case.inputs(ids)
        for one, other in zip(loaded.encode(inputs), encode(inputs), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=case.atol)
