"""A training step in which padded places take part, against the published program's definition."""

import numpy as np
import pytest

from tf_iclrec import ViewRatios, training_batches

from .small_recommenders import centroids, new_model

LENGTH = 10
PUBLISHED = {"pad_to_max_length": True, "views": ViewRatios(masked_as_padding=True)}


def slow_info_nce(first, second):
    """Each of 2N rows picks its partner among the 2N - 1 others."""
    rows = np.concatenate([first, second])
    losses = []
    for anchor, row in enumerate(rows):
        partner = (anchor + len(first)) % len(rows)
        others = [row @ other for index, other in enumerate(rows) if index != anchor]
        largest = max(others)
        log_sum = largest + np.log(np.sum(np.exp(np.array(others) - largest)))
        losses.append(log_sum - row @ rows[partner])
    return np.mean(losses)


@pytest.fixture
def batch(split):
    return next(iter(training_batches(split, 12, LENGTH, negatives=True, **PUBLISHED)))


def step(padding_places, batch):
    """A model of which nothing is dropped, its states of the batch and its views with their
    weights, and the losses of a step."""
    model = new_model(
        model="iclrec_published",
        padding_places=padding_places,
        num_intents=(3,),
        dropout=0.0,
        sequence_temperature=10.0,
    )
    model.intents.update(centroids(model)[1:])
    sequences = [batch["item_ids"], *np.moveaxis(batch["view_item_ids"], 1, 0)]
    states = [
        [
            np.asarray(part, dtype="float64")
            for part in model.encoder.encode_whole({"item_ids": ids})
        ]
        for ids in sequences
    ]
    return model, states, {name: float(value) for name, value in model.train_step(batch).items()}


def expected_losses(centroids, means, flat):
    distances = ((means[0][:, None] - centroids[None]) ** 2).sum(axis=-1)
    prototypes = centroids[distances.argmin(axis=1)]
    prototypes = prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True)
    return {
        # The temperature is 10.
        "sequence_contrast": slow_info_nce(*(part / np.sqrt(10) for part in flat[1:])),
        "intent_contrast": np.mean([slow_info_nce(mean, prototypes) for mean in means[1:]]),
    }


def test_with_as_many_places_as_the_longest_sequence_both_contrasts_are_the_published_ones(batch):
    model, states, losses = step(LENGTH, batch)
    means = [whole.mean(axis=1) for whole, _ in states]
    flat = [whole.reshape(12, -1) for whole, _ in states]
    assert flat[0].shape == (12, LENGTH * 8)
    expected = expected_losses(centroids(model)[1], means, flat)
    for name, value in expected.items():
        assert losses[name] == pytest.approx(value, rel=1e-4)


def test_with_fewer_each_counts_as_often_as_the_places_it_stands_for(batch):
    model, states, losses = step(2, batch)
    means, flat = [], []
    for whole, weights in states:
        assert weights.sum(axis=1) == pytest.approx(LENGTH)
        means.append((whole * weights[..., None]).sum(axis=1) / LENGTH)
        flat.append((whole * np.sqrt(weights)[..., None]).reshape(12, -1))
    expected = expected_losses(centroids(model)[1], means, flat)
    for name, value in expected.items():
        assert losses[name] == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("padding_places", [2, LENGTH])
def test_the_loss_of_the_next_item_does_not_see_padded_places(batch, padding_places):
    """Nor through them what comes later: it is the same as without them."""
    without = new_model(model="iclrec_published", padding_places=0, num_intents=(3,), dropout=0.0)
    alone = float(without.train_step(batch)["next_item"])
    assert step(padding_places, batch)[2]["next_item"] == pytest.approx(alone, rel=1e-5)


def test_masked_items_are_padding_in_their_place(split):
    settings = {"batch_size": 12, "max_length": LENGTH, "pad_to_max_length": True}
    masks, gaps = (
        np.array(next(iter(training_batches(split, views=views, **settings)))["view_item_ids"])
        for views in (ViewRatios(), ViewRatios(masked_as_padding=True))
    )
    assert (masks == 2).any()
    np.testing.assert_array_equal(gaps, np.where(masks == 2, 0, masks))
