import keras
import numpy as np
import pytest

from tf_iclrec import Catalogue, Interactions, LazyAdam, build_model, leave_one_out, make_config
from tf_iclrec.run_directory import RunDirectory
from tf_iclrec.training import train_recommender
from tf_iclrec.training.save_progress import SaveProgress
from tf_iclrec.training.train_recommender import new_optimizer

TINY = {"hidden_dim": 8, "num_blocks": 1, "max_length": 5}


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


@pytest.mark.parametrize(("pad", "expected"), [(False, {1, 2, 3}), (True, {5})])
def test_batches_are_padded_as_the_settings_say(model, tmp_path, monkeypatch, pad, expected):
    """To the longest history that the model reads, or users of similar lengths to their own."""
    log = Interactions.from_sequences({f"u{n}": [*"abcdefgh"][: 4 + n % 3] for n in range(12)})
    make_batches = train_recommender.training_batches

    def widths(*args, **settings):
        batches = make_batches(*args, **settings)
        raise StopIteration({batch["item_ids"].shape[1] for batch in batches})

    monkeypatch.setattr(train_recommender, "training_batches", widths)
    with pytest.raises(StopIteration) as seen:
        train_recommender.train_recommender(
            model, leave_one_out(log), RunDirectory(tmp_path), batch_size=4, pad_to_max_length=pad
        )
    assert seen.value.value == expected


def test_the_model_has_the_weights_of_the_best_epoch_afterwards(model, tmp_path, monkeypatch):
    """Here of the first, whatever comes later; also when there is nothing left to train."""
    monkeypatch.setattr(SaveProgress, "_score", lambda self, row: -row["epoch"])
    log = Interactions.from_sequences({f"u{n}": [*"abcdefgh"][: 4 + n % 3] for n in range(12)})
    directory = RunDirectory(tmp_path)
    directory.checkpoints.mkdir()
    for _ in range(2):
        best = train_recommender.train_recommender(
            model, leave_one_out(log), directory, epochs=3, batch_size=4, learning_rate=0.1
        )
        assert best == 1
        found = [weight.numpy() for weight in model.weights]
        moved = []
        for epoch in (1, 3):
            model.load_weights(directory.checkpoints / f"epoch_{epoch}.weights.h5")
            pairs = zip(model.weights, found, strict=True)
            moved.append(max(np.abs(one.numpy() - other).max() for one, other in pairs))
        assert moved[0] == 0.0 < 0.01 < moved[1]
