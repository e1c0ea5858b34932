"""A training step in which padded places take part, against the published program's definition."""

import numpy as np
import pytest

from tf_iclrec import ViewRatios, training_batches

from .small_recommenders import centroids, new_model

LENGTH = 10


def slow_info_nce(first, second):
    """Each of 2N rows picks its partner among the 2N - 1 others."""
    rows = np.concatenate([first, second])
    losses = []
    for anchor, row in enumerate(rows):
        partner = (anchor + len(first)) % len(rows)
        others = np.array([row @ other for index, other in enumerate(rows) if index != anchor])
        log_sum = others.max() + np.log(np.exp(others - others.max()).sum())
        losses.append(log_sum - row @ rows[partner])
    return np.mean(losses)


def slow_contrasts(intents, means, flat):
    """The losses of sequences and their two views from means and flattened states of each."""
    distances = ((means[0][:, None] - intents[None]) ** 2).sum(axis=-1)
    prototypes = intents[distances.argmin(axis=1)]
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    return {
        # The temperature is 10.
        "sequence_contrast": slow_info_nce(*(view / np.sqrt(10) for view in flat[1:])),
        "intent_contrast": np.mean([slow_info_nce(view, prototypes) for view in means[1:]]),
    }


@pytest.fixture(scope="module")
def batches(split):
    """The same batch with masked items as the mask and as padding."""
    settings = {"batch_size": 12, "max_length": LENGTH, "negatives": True}
    return [
        next(iter(training_batches(split, views=views, pad_to_max_length=True, **settings)))
        for views in (ViewRatios(), ViewRatios(masked_as_padding=True))
    ]


def model_of(padding_places):
    """A model of which nothing is dropped."""
    model = new_model(
        model="iclrec_published",
        padding_places=padding_places,
        num_intents=(3,),
        dropout=0.0,
        sequence_temperature=10.0,
    )
    model.intents.update(centroids(model)[1:])
    return model


def step(padding_places, batch):
    """The states of the sequences of a batch and of their views, for how many places each stands,
    what slow contrasts see of that, and the losses of a training step."""
    model = model_of(padding_places)
    sequences = [batch["item_ids"], *np.moveaxis(batch["view_item_ids"], 1, 0)]
    encoded = [model.encoder.encode_whole({"item_ids": ids}) for ids in sequences]
    states, weights = (np.array(part, "float64") for part in zip(*encoded, strict=True))
    losses = {name: float(value) for name, value in model.train_step(batch).items()}
    return centroids(model)[1], states, weights, losses


@pytest.fixture(scope="module")
def next_item_alone(batches):
    """The loss of the next item without padded places."""
    return float(model_of(0).train_step(batches[1])["next_item"])


def test_with_as_many_places_as_the_longest_sequence_both_contrasts_are_the_published_ones(
    batches, next_item_alone
):
    intents, states, weights, losses = step(LENGTH, batches[1])
    assert states.shape == (3, 12, LENGTH, 8)
    assert (weights == 1).all()
    expected = slow_contrasts(intents, states.mean(axis=2), states.reshape(3, 12, -1))
    for name, value in expected.items():
        assert losses[name] == pytest.approx(value, rel=1e-4)
    assert losses["next_item"] == pytest.approx(next_item_alone, rel=1e-5)


def test_with_fewer_each_counts_as_often_as_the_places_it_stands_for(batches, next_item_alone):
    intents, states, weights, losses = step(2, batches[1])
    assert weights.sum(axis=-1) == pytest.approx(LENGTH)
    assert weights.max() > 2
    weights = weights[..., np.newaxis]
    means = (states * weights).sum(axis=2) / LENGTH
    expected = slow_contrasts(intents, means, (states * np.sqrt(weights)).reshape(3, 12, -1))
    for name, value in expected.items():
        assert losses[name] == pytest.approx(value, rel=1e-4)
    assert losses["next_item"] == pytest.approx(next_item_alone, rel=1e-5)


def test_masked_items_are_padding_in_their_place(batches):
    masks, gaps = (np.array(batch["view_item_ids"]) for batch in batches)
    assert (masks == 2).any()
    np.testing.assert_array_equal(gaps, np.where(masks == 2, 0, masks))
