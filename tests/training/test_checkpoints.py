import resource

import keras
import pytest

from tf_iclrec import Catalogue, UserError, build_model, checksums, make_config
from tf_iclrec.checksums import DamagedError
from tf_iclrec.training import checkpoints
from tf_iclrec.training.checkpoints import Checkpoints
from tf_iclrec.training.save_progress import SaveProgress
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


def progress_in(folder, model):
    progress = SaveProgress(folder, folder / "history.csv", patience=2, seed=0)
    progress.set_model(model)
    progress.on_train_begin()
    progress.restore(model)
    return progress


def test_without_the_weights_of_the_best_epoch_the_last_counts_as_the_best(model, tmp_path, capsys):
    progress = progress_in(tmp_path, model)
    kernel = model.trainable_variables[0]
    for epoch, score in enumerate([0.5, 0.2, 0.3]):
        kernel.assign(kernel * 0 + epoch + 1)
        progress.on_epoch_end(epoch, {"loss": 1.0, "val_NDCG@20": score})
    assert progress_in(tmp_path, model).stopped
    best = tmp_path / "epoch_1.weights.h5"
    content = bytearray(best.read_bytes())
    content[len(content) // 2] ^= 1
    best.write_bytes(content)
    progress = progress_in(tmp_path, model)
    assert capsys.readouterr().out == (
        f"{best} is damaged: it is not as it was written. It was the best epoch's: the last one "
        "counts as the best.\n"
    )
    assert (progress.epochs_done, progress.best_epoch, progress.best_score) == (3, 3, 0.3)
    assert not progress.stopped
    progress.restore_best(model)
    assert float(kernel[0, 0]) == 3.0
    progress.on_epoch_end(3, {"loss": 1.0, "val_NDCG@20": 0.1})
    again = progress_in(tmp_path, model)
    assert (again.epochs_done, again.best_epoch, again.best_score) == (4, 3, 0.3)
    assert capsys.readouterr().out == ""


def test_weights_that_stay_are_sealed_as_they_were_written(model, tmp_path, monkeypatch):
    saved = Checkpoints(tmp_path)
    saved.save(model, epoch=1, is_best=True)
    digested = []
    digest = checksums.digest
    monkeypatch.setattr(
        checksums, "digest", lambda path: digested.append(path.name) or digest(path)
    )
    best = tmp_path / "epoch_1.weights.h5"
    best.write_bytes(best.read_bytes()[:-1])
    saved.save(model, epoch=2, is_best=False)
    assert digested == ["epoch_2.weights.h5"]
    with pytest.raises(DamagedError, match=r"epoch_1\.weights\.h5 is damaged"):
        checksums.read_sealed(tmp_path / "state.json")
