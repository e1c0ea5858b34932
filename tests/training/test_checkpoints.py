import resource

import keras
import pytest

from tf_iclrec import Catalogue, UserError, build_model, make_config
from tf_iclrec.training import checkpoints
from tf_iclrec.training.checkpoints import Checkpoints
from tf_iclrec.training.train_recommender import new_optimizer


@pytest.fixture(scope="module")
def model():
    config = make_config(model="iclrec", hidden_dim=8, num_blocks=2, num_members=2, num_intents=3)
    model = build_model(config, Catalogue(num_items=20))
    model.compile(new_optimizer(model, 0.01, "constant", 40))
    model.build_optimizer()
    return model


def test_a_checkpoint_is_no_larger_than_is_reserved(model, tmp_path):
    Checkpoints(tmp_path).save(model, epoch=1, is_best=True)
    size = (tmp_path / "epoch_1.weights.h5").stat().st_size
    assert 0 < size <= checkpoints._size(model)
    # The numbers themselves are the least.
    numbers = sum(4 * int(keras.ops.size(one)) for one in model.variables)
    assert size > numbers


def test_a_checkpoint_that_does_not_fit_leaves_the_last_one_and_says_so(model, tmp_path):
    saved = Checkpoints(tmp_path)
    saved.save(model, epoch=1, is_best=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(UserError, match=r"epoch_2\.weights.* written: File too large"):
            saved.save(model, epoch=2, is_best=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert Checkpoints(tmp_path).read()["weights"] == "epoch_1.weights.h5"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_1.weights.h5", "state.json"]
