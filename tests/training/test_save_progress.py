import pytest

from tf_iclrec import Catalogue, build_model, make_config
from tf_iclrec.training.save_progress import SaveProgress, reseed
from tf_iclrec.training.train_recommender import new_optimizer


@pytest.fixture(scope="module")
def model():
    config = make_config(model="iclrec", hidden_dim=8, num_blocks=2, num_members=2, num_intents=3)
    model = build_model(config, Catalogue(num_items=20))
    model.compile(new_optimizer(model, 0.01, "constant", 40))
    model.build_optimizer()
    return model


def progress_in(folder, model):
    progress = SaveProgress(folder, folder / "history.csv", patience=2, seed=0)
    progress.set_model(model)
    progress.on_train_begin()
    progress.restore(model)
    return progress


def test_every_layer_draws_for_itself_and_in_each_epoch_anew(model):
    """And the same in the same epoch, whatever was drawn before."""

    def states(seed, epoch):
        reseed(model, seed, epoch)
        found = [one for one in model.variables if one.name == "seed_generator_state"]
        return [tuple(one.numpy().tolist()) for one in found]

    first = states(3, 0)
    assert len(first) > 1
    every = [*first, *states(3, 1), *states(4, 0)]
    assert len({*every}) == len(every)
    assert states(3, 0) == first


def test_of_epochs_that_are_as_good_the_first_is_the_best(model, tmp_path):
    progress = progress_in(tmp_path, model)
    for epoch, (score, best, stopped) in enumerate(
        [(0.2, 1, False), (0.5, 2, False), (0.5, 2, False), (0.5, 2, True)]
    ):
        progress.on_epoch_end(epoch, {"loss": 1.0, "val_NDCG@20": score})
        assert (progress.best_epoch, progress.stopped) == (best, stopped)
