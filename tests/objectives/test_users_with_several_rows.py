"""Rows of one user, such as windows of a history, are no negatives to each other."""

import dataclasses

import numpy as np
import pytest

from tf_iclrec.objectives.future_contrast import FutureContrast
from tf_iclrec.objectives.intent_contrast import IntentContrast
from tf_iclrec.objectives.item_provider_contrast import ItemProviderContrast
from tf_iclrec.objectives.sequence_contrast import SequenceContrast

OWNERS = np.array([4, 4, 9], dtype="int32")


@pytest.fixture
def alone(encoded, rng):
    """One number of intents, and everyone with one of their own."""
    intents = [(np.arange(3, dtype="int32"), encoded.intents[0][1])]
    futures = tuple(rng.normal(size=(2, 3, 2, 4)).astype("float32"))
    return dataclasses.replace(encoded, intents=intents, futures=futures)


@pytest.mark.parametrize(
    "term",
    [
        SequenceContrast,
        IntentContrast,
        lambda **settings: IntentContrast(both_ways=True, **settings),
        lambda **settings: FutureContrast(confident_share=1.0, **settings),
        ItemProviderContrast,
    ],
)
def test_as_users_of_one_intent_are_not(alone, term):
    of_one_intent = dataclasses.replace(alone, intents=[(OWNERS, alone.intents[0][1])])
    expected = float(term(mitigate_false_negatives=True)(of_one_intent))
    of_one_user = dataclasses.replace(alone, users=OWNERS)
    assert float(term()(of_one_user)) == pytest.approx(expected, rel=1e-6)
    assert float(term(mitigate_false_negatives=True)(of_one_user)) == pytest.approx(expected)
    assert float(term()(alone)) > expected + 0.01


def test_either_is_enough(alone):
    """The first two rows are of one user, the last two of one intent."""
    intents = [(np.array([0, 1, 1], dtype="int32"), alone.intents[0][1])]
    batch = dataclasses.replace(alone, users=OWNERS, intents=intents)
    vectors = [side.astype("float64") for side in alone.sides]
    logits = vectors[0] @ vectors[1].T
    logits[[0, 1, 1, 2], [1, 0, 2, 1]] = -np.inf
    expected = np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits))
    loss = float(ItemProviderContrast(mitigate_false_negatives=True)(batch))
    assert loss == pytest.approx(expected, rel=1e-5)
