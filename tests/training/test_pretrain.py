"""Pre-trainings in a run directory: from settings to weights, and after an interruption."""

import keras
import numpy as np
import pytest

from tf_iclrec import SelfAttentiveEncoder, fit, leave_one_out, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.models.segment_pretrainer import SegmentPretrainer
from tf_iclrec.models.segment_pretraining import SegmentPretraining
from tf_iclrec.training.pretrain import pretrain

from ..interruption import interrupted


@pytest.fixture(autouse=True)
def eagerly(monkeypatch):
    """The few steps of a pre-training take less than a graph of them."""
    always = property(lambda model: True, lambda model, value: None)
    monkeypatch.setattr(SegmentPretrainer, "run_eagerly", always)


@pytest.fixture(scope="module")
def log():
    return planted_intents(num_users=40, num_items=30, num_intents=3)[0]


def pretrained(log, folder, epochs, start=0):
    """The weights of an encoder that was drawn by a seed of its own."""
    keras.utils.set_random_seed(start)
    encoder = SelfAttentiveEncoder(log.items.size, max_length=8, hidden_dim=8, num_blocks=1)
    encoder.build()
    pretraining = SegmentPretraining(epochs=epochs, batch_size=32, prefixes=False)
    pretrain(pretraining, encoder, leave_one_out(log), folder, folder.parent / "train.log", seed=3)
    return [weight.numpy() for weight in encoder.trainable_weights]


def test_it_goes_on_after_the_last_epoch_as_if_it_had_not_ended(log, tmp_path, capsys):
    whole = pretrained(log, tmp_path / "whole", epochs=2)
    first = pretrained(log, tmp_path / "parts", epochs=1)
    rest = pretrained(log, tmp_path / "parts", epochs=2, start=1)
    assert "Pre-training: 2 epochs, 1 done.\n" in capsys.readouterr().out
    for one, other in zip(rest, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != before).any() for one, before in zip(whole, first, strict=True))
    # Finished, it is not trained any more, and there all the same.
    done = pretrained(log, tmp_path / "parts", epochs=2, start=2)
    assert capsys.readouterr().out == ""
    for one, other in zip(done, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_that_is_held_out_is_seen(log, tmp_path):
    first = pretrained(log, tmp_path / "one", epochs=1)
    changed = log.item_ids.copy()
    changed[np.concatenate([log.offsets[1:] - 1, log.offsets[1:] - 2])] = 3
    log = type(log)(changed, log.offsets, log.users, log.items)
    for one, other in zip(first, pretrained(log, tmp_path / "other", epochs=1), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("not_exported", "not_compared")
def test_a_run_pre_trains_each_encoder_before_it_trains(log, tmp_path, capsys):
    tiny = {"hidden_dim": 8, "num_blocks": 1, "max_length": 8, "epochs": 1, "batch_size": 16}
    config = make_config(
        "s3rec_isp", **tiny, num_members=2, pretraining_epochs=1, pretraining_prefixes=False
    )
    # The third training is that of the recommender.
    with interrupted(epoch=0, training=2), pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run", interactions=log)
    assert capsys.readouterr().out.count("Pre-training: 1 epochs, 0 done.\n") == 2
    for member in (0, 1):
        folder = tmp_path / "run" / "checkpoints" / f"pretraining_{member}"
        assert (folder / "epoch_1.weights.h5").is_file()
    run = fit(config, tmp_path / "run", resume=True)
    assert "Pre-training: " not in capsys.readouterr().out
    whole = fit(config, tmp_path / "whole", interactions=log)
    for one, other in zip(run.model.weights, whole.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
