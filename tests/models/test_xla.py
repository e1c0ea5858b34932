import keras
import pytest

from .small_recommenders import batches, centroids, new_model


def losses(split, jit_compile):
    """Of the first batch, and of the next one after a step of training."""
    keras.utils.set_random_seed(0)
    model = new_model(model="iclrec", loss="sampled", dropout=0.0)
    model.intents.update(centroids(model))
    model.compile(keras.optimizers.SGD(0.1), jit_compile=jit_compile)
    found = []
    for batch in [*batches(split, model)][:1] * 2:
        logs = model.train_on_batch(batch, return_dict=True)
        found.append(float(logs["loss"]))
        model.reset_metrics()
    return model.jit_compile, found


def test_xla_is_for_those_who_ask_for_it(split):
    assert not losses(split, "auto")[0]
    compiled, found = losses(split, True)
    assert compiled
    assert found == pytest.approx(losses(split, False)[1], rel=1e-5)
    assert found[1] < found[0]
