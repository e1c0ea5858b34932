import dataclasses

import numpy as np
import pytest

from tf_iclrec import (
    Catalogue,
    Interactions,
    ItemAttribute,
    PopularityRecommender,
    Vocabulary,
    leave_one_out,
)
from tf_iclrec.models.item_facts import item_facts, item_intents

from .small_recommenders import PROVIDERS, centroids, new_model


@pytest.fixture(scope="module")
def model():
    model = new_model(model="iclrec_ips_s")
    model.intents.update(centroids(model))
    return model


def test_the_intent_of_an_item_is_that_of_a_user_with_it_alone(model):
    found = item_intents(model, Catalogue(num_items=12, providers=PROVIDERS))
    assert found.shape == (12,)
    assert len(set(found)) == 2
    for item in range(3, 15):
        batch = {"item_ids": [[0, item]], "provider_ids": [[0, PROVIDERS.of_items[item]]]}
        batch = {name: np.array(ids, dtype=np.int32) for name, ids in batch.items()}
        distances = np.square(model.mean_vectors(batch) - model.intents.centroids[0]).sum(axis=1)
        assert found[item - 3] == distances.argmin()


def split_with(**known):
    log = Interactions.from_sequences({"ann": [f"{item:02}" for item in range(12)]})
    return leave_one_out(dataclasses.replace(log, **known))


SPLIT = split_with(providers=PROVIDERS)


def test_facts_are_what_log_and_model_know(model):
    facts = item_facts(model, SPLIT)
    assert list(facts.values) == ["provider", "intent"]
    np.testing.assert_array_equal(facts.values["provider"], PROVIDERS.of_items)
    intents = item_intents(model, SPLIT.catalogue)
    np.testing.assert_array_equal(facts.values["intent"], [0, 1, 2, *(3 + intents)])
    np.testing.assert_array_equal(facts.vectors, model.item_vectors())
    assert facts.training_counts is SPLIT.training_counts


def test_models_without_vectors_and_intents_give_none(model):
    assert item_facts(PopularityRecommender(np.arange(12)), SPLIT).vectors is None
    new = new_model(model="iclrec_ips_s")
    # Before the first clustering all centroids are zero.
    assert list(item_facts(new, SPLIT).values) == ["provider"]


def test_attributes_and_labels_are_known_by_their_names():
    colour = ItemAttribute(Vocabulary(["red"]), np.array([0, 1, 2, *[3] * 12], np.int32))
    described = split_with(attributes={"colour": colour}, labels={"size": colour, "title": colour})
    facts = item_facts(PopularityRecommender(np.arange(12)), described)
    # A title is each item's own.
    assert set(facts.values) == {"colour", "size"}
