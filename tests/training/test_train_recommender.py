import keras
import pytest

from tf_iclrec import Catalogue, LazyAdam, build_model, make_config
from tf_iclrec.training.train_recommender import new_optimizer

TINY = {"hidden_dim": 8, "num_blocks": 1, "num_members": 1, "max_length": 5}


@pytest.fixture(scope="module")
def model():
    return build_model(make_config(model="sasrec", **TINY), Catalogue(num_items=20))


def test_learning_rate_falls_to_zero_over_all_steps(model):
    rates = new_optimizer(model, 0.01, "cosine", 40)._learning_rate
    assert [float(rates(at)) for at in (0, 20, 40)] == pytest.approx([0.01, 0.005, 0.0])


def test_learning_rate_can_stay_as_it_is(model):
    optimizer = new_optimizer(model, 0.01, "constant", 40)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    assert not isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule)


def test_losses_over_sampled_items_leave_the_others_alone(model):
    sampled = make_config(model="sasrec", loss="sampled_softmax", **TINY)
    sampled = build_model(sampled, Catalogue(num_items=20))
    assert type(new_optimizer(model, 0.01, "constant", 40)) is keras.optimizers.Adam
    assert type(new_optimizer(sampled, 0.01, "constant", 40)) is LazyAdam
