"""What a model is compared with knows the training part alone, and is chosen by validation."""

import dataclasses

import numpy as np
import pytest

from tf_iclrec import leave_one_out, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.evaluation.held_out import held_out_answers
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.models.ease import EaseRecommender
from tf_iclrec.models.transitions import TransitionRecommender
from tf_iclrec.systems.registry import SYSTEMS
from tf_iclrec.systems.yardsticks import yardsticks

RIVALS = {"transitions": TransitionRecommender, "ease": EaseRecommender}


@pytest.fixture(scope="module")
def split():
    return leave_one_out(planted_intents(num_users=60, num_items=30, num_intents=3)[0])


def fitted(kind, split):
    model = kind.for_catalogue(split.catalogue)
    model.fit_histories(split.train)
    return model


@pytest.mark.parametrize("chosen", RIVALS)
def test_the_better_one_on_the_validation_items_is_shown(split, chosen):
    """Asked for what one of them says in validation, and for what the other says in the test."""
    first = {}
    for name, kind in RIVALS.items():
        first[name] = held_out_answers(fitted(kind, split), split, "valid", k=1)[1][:, 0]
    (other,) = RIVALS.keys() - {chosen}
    assert (first[chosen] != first[other]).mean() > 0.2
    asked = dataclasses.replace(
        split,
        valid=dataclasses.replace(split.valid, target_ids=first[chosen]),
        test=dataclasses.replace(split.valid, target_ids=first[other]),
    )
    found = yardsticks(asked, ItemFacts(split.training_counts, {}), {})
    assert list(found) == ["popularity", chosen]


@pytest.mark.parametrize("name", RIVALS)
def test_what_is_held_out_is_not_counted(split, name):
    batch = {"item_ids": np.arange(3, 33, dtype="int32")[:, np.newaxis]}
    expected = fitted(RIVALS[name], split)(batch).numpy()
    config = make_config(name)
    family = SYSTEMS[name].family
    model = family.build(config, split.catalogue)
    family.train(model, split, config, None)
    np.testing.assert_array_equal(model(batch), expected)
    # The figures of yardsticks are of that model, too.
    asked = dataclasses.replace(split, test=split.valid)
    (other,) = RIVALS.keys() - {name}
    figures = yardsticks(asked, ItemFacts(split.training_counts, {}), {}, but=other)
    ranks, _ = held_out_answers(fitted(RIVALS[name], split), asked, "test")
    assert figures[name]["test"]["HR@5"] == pytest.approx((ranks <= 5).mean())
