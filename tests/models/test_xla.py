import keras
import pytest

from tf_iclrec import build_model, make_config, training_batches


def losses(split, jit_compile):
    """Of the first batch, and again after a step of training."""
    keras.utils.set_random_seed(0)
    model = build_model(make_config(model="bpr_mf", hidden_dim=8), split.catalogue)
    model.compile(keras.optimizers.SGD(1.0), jit_compile=jit_compile)
    batch = next(iter(training_batches(split, 12, model=model)))
    found = [model.train_on_batch(batch, return_dict=True)["loss"]]
    model.reset_metrics()
    return model.jit_compile, [*found, model.train_on_batch(batch, return_dict=True)["loss"]]


def test_xla_is_for_those_who_ask_for_it(split):
    compiled, expected = losses(split, "auto")
    assert not compiled
    compiled, found = losses(split, True)
    assert compiled
    assert found == pytest.approx(expected, rel=1e-5)
    assert found[1] < found[0]
