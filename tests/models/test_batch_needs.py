"""Batches for a model have what it reads, and one that gets others says so."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_iclrec import (
    SYSTEMS,
    IntentClustering,
    IntentContrast,
    Sampling,
    SelfAttentiveEncoder,
    SequentialRecommender,
    SoftmaxCrossEntropy,
    UserError,
    ViewRatios,
    build_model,
    by_time,
    evaluation_batches,
    make_config,
    sequence_batches,
    training_batches,
)
from tf_iclrec.data.tasks import NextItem
from tf_iclrec.data.vocabulary import MASK_ID
from tf_iclrec.systems.neural import NEURAL

SMALL = {"hidden_dim": 8, "num_blocks": 1, "max_length": 4, "num_intents": 4}
# Those that read attributes of the items apart.
NAMES = [name for name, one in SYSTEMS.items() if one.family is NEURAL and "categor" not in name]
# Made of parts of the others: a graph of them would show nothing new.
OF_SAME_PARTS = {"sasrec_published", "cl4srec_published", "s3rec_isp", "icl_s3rec", "provider_sum"}
OF_SAME_PARTS |= {"ipsrec_s", "ipsrec_c"}


def made(name, split, **settings):
    given = {**SMALL, **settings}
    read = make_config(name).options()
    config = make_config(name, **{option: given[option] for option in given if option in read})
    model = build_model(config, split.catalogue)
    model.compile("adam")
    return model


@pytest.mark.filterwarnings("ignore:No callback finds intents")
@pytest.mark.parametrize("name", NAMES)
def test_any_model_trains_on_the_batches_that_are_made_for_it(name, split):
    model = made(name, split)
    model.run_eagerly = name in OF_SAME_PARTS
    views = ViewRatios() if model.needs_views else None
    batches = training_batches(split, 16, model=model, views=views)
    logs = model.fit(batches.take(1), steps_per_epoch=1, shuffle=False, verbose=0)
    assert np.isfinite(logs.history["loss"][0])
    batch = next(iter(batches))
    assert batch["item_ids"].shape[1] <= 4
    assert ("negative_ids" in batch) == model.needs_negatives
    assert ("sampled_ids" in batch) == bool(model.sampling)
    for others in (
        evaluation_batches(split, "valid", model=model),
        sequence_batches(split, model=model),
    ):
        assert max(batch["item_ids"].shape[1] for batch in others) <= 4


def test_the_task_is_that_of_the_encoder(split):
    """Trained to tell what stands in its input, a model that looks both ways learns nothing."""
    model = made("bert4rec", split)
    assert not isinstance(model.encoder.task, NextItem)
    asked = next(iter(training_batches(split, 36, model=model)))
    real = asked["target_ids"].numpy() > 0
    assert real.any()
    assert (asked["item_ids"].numpy()[real] == MASK_ID).all()


def test_what_is_given_wins(split):
    model = made("caser", split)
    batches = training_batches(split, 16, max_length=3, negatives=False, model=model)
    batch = next(iter(batches))
    assert batch["item_ids"].shape[1] <= 3
    assert "negative_ids" not in batch


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("caser", {"loss": "sampled"}, "items with some that were not chosen.*model=model"),
        ("sasrec", {"loss": "sampled_softmax"}, "items with sampled ones.*model=model"),
        ("cl4srec", {}, r"views of a sequence, and the batches have none: .*views=ViewRatios\(\)"),
        ("dssrec", {}, "the past of a sequence with its future.*model=model"),
    ],
)
def test_batches_without_what_is_compared_say_how_to_make_them(name, settings, message, split):
    model = made(name, split, **settings)
    with pytest.raises(ValueError, match=message):
        model.fit(training_batches(split, 16), steps_per_epoch=1, shuffle=False, verbose=0)


def test_batches_to_evaluate_with_are_not_trained_on_nor_the_other_way_round(split):
    model = made("sasrec", split)
    model.run_eagerly = True
    train, valid = training_batches(split, 16), evaluation_batches(split, "valid")
    with pytest.raises(ValueError, match=r"make such batches with training_batches\(split, model"):
        model.fit(valid, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match=r"make such batches with evaluation_batches\(split, 'te"):
        model.evaluate(train.take(1), verbose=0)


@pytest.mark.parametrize("callbacks", [None, [keras.callbacks.TerminateOnNaN()]])
def test_a_training_that_never_finds_intents_is_warned_of(callbacks, split):
    model = made("iclrec", split)
    batches = training_batches(split, 16, model=model)
    with pytest.warns(UserWarning, match=r"No callback finds intents.*IntentClustering\(tf_iclrec"):
        model.fit(batches, epochs=0, callbacks=callbacks, shuffle=False, verbose=0)


def test_one_that_finds_them_or_has_them_is_not(split):
    model = made("iclrec", split)
    batches = training_batches(split, 16, model=model)
    sequences = sequence_batches(split, model=model)
    callbacks = [IntentClustering(sequences, verbose=False)]
    model.fit(batches, None, None, 0, 0, callbacks, shuffle=False)
    model.intents.update([np.ones(model.intents.centroids[0].shape, dtype="float32")])
    model.fit(batches, epochs=0, shuffle=False, verbose=0)


def test_words_that_mean_nothing_are_refused(split):
    with pytest.raises(ValueError, match=r"Items are not sampled by 'in-batch'\."):
        Sampling("in-batch", 10)
    with pytest.raises(ValueError, match="views must be one of augmented, dropout, not augment"):
        IntentContrast(views="augment")
    with pytest.raises(ValueError, match="targets must be one of last, first, all, not frist"):
        by_time(split.interactions, targets="frist")


def test_a_model_of_fewer_items_is_refused(split):
    num_items = split.interactions.num_items
    encoder = SelfAttentiveEncoder(num_items, max_length=4, hidden_dim=8, num_blocks=1)
    model = SequentialRecommender(encoder, [SoftmaxCrossEntropy()])
    message = f"made for {num_items} internal ids, and this log has {num_items + 3}, .*vocabulary"
    for batches in (
        lambda: training_batches(split, model=model),
        lambda: evaluation_batches(split, "test", model=model),
        lambda: sequence_batches(split, model=model),
    ):
        with pytest.raises(UserError, match=message):
            batches()
    with pytest.raises(UserError, match="max_length must be at least 1, not 0"):
        training_batches(split, max_length=0)


def test_one_number_of_intents_one_objective_and_one_cutoff(split):
    encoder = SelfAttentiveEncoder(split.catalogue.vocabulary_size, 4, hidden_dim=8, num_blocks=1)
    contrast = IntentContrast()
    model = SequentialRecommender(encoder, contrast, num_intents=3, cutoffs=10)
    assert (model.num_intents, model.objectives, model.cutoffs) == ((3,), (contrast,), (10,))


def test_sequences_longer_than_the_model_reads_are_refused(split):
    model = made("sasrec", split)
    for train_or_evaluate in (
        lambda: model.fit(training_batches(split, 16), shuffle=False, verbose=0),
        lambda: model.evaluate(evaluation_batches(split, "test"), verbose=0),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="of more than max_length=4"):
            train_or_evaluate()
