import itertools

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, UserError, load_interactions
from tf_iclrec.data.preparation.append import append

OLD = Interactions.from_sequences({"ann": ["tea", "jam"]})


@pytest.mark.parametrize("seed", range(6))
def test_parts_put_together_are_the_whole_but_for_the_numbers(seed, random_frame, contents):
    """In any cut: rows in the order of the source, whose times are not."""
    rng = np.random.default_rng(seed)
    frame = random_frame(seed).assign(rating=rng.integers(1, 6, size=200))
    # Many at the same time, in no order.
    frame["timestamp"] = rng.integers(20, size=200)
    cuts = [0, *np.sort(rng.choice(np.arange(1, 200), size=seed % 3 + 1, replace=False)), 200]
    parts = [
        load_interactions(frame.iloc[start:end], rating_column="rating")
        for start, end in itertools.pairwise(cuts)
    ]
    log = parts[0]
    for part in parts[1:]:
        old, log = log, append(log, part)
        # What was known keeps its number.
        assert log.users[: old.num_users].tolist() == old.users.tolist()
        assert log.items.ids[: old.num_items].tolist() == old.items.ids.tolist()
        old_providers, providers = old.providers.vocabulary.ids, log.providers.vocabulary.ids
        assert providers[: len(old_providers)].tolist() == old_providers.tolist()
    whole = load_interactions(frame, rating_column="rating")
    assert contents(log) == contents(whole)
    assert set(log.items.ids) == set(whole.items.ids)
    assert len(log.providers.vocabulary) == len(whole.providers.vocabulary)


def test_without_times_the_new_follows(raw_sequences):
    log = append(OLD, Interactions.from_sequences({"bob": ["egg"], "ann": ["egg", "tea"]}))
    assert raw_sequences(log) == {"ann": ["tea", "jam", "egg", "tea"], "bob": ["egg"]}


def test_what_is_newly_known_of_items_wins(raw_providers_of_items):
    old = OLD.with_item_providers({"tea": "acme", "jam": "best"})
    old = old.with_item_attribute("color", {"tea": "green"})
    new = Interactions.from_sequences({"bob": ["tea", "egg", "jam"]})
    new = new.with_item_providers({"tea": "cosy", "egg": "acme"})
    new = new.with_item_attribute("size", {"egg": "small"})
    log = append(old, new)
    assert raw_providers_of_items(log) == {"tea": "cosy", "jam": "best", "egg": "acme"}
    assert log.providers.vocabulary.ids.tolist() == ["acme", "best", "cosy"]
    # jam, tea, egg.
    assert log.attributes["color"].of_items[3:].tolist() == [1, 3, 1]
    assert log.attributes["size"].of_items[3:].tolist() == [1, 1, 3]


def test_providers_can_be_known_of_one_part_alone(raw_providers):
    rows = {"user_id": ["ann"], "item_id": ["tea"], "timestamp": [1]}
    plain = load_interactions(pd.DataFrame(rows))
    own = load_interactions(pd.DataFrame(rows | {"provider": ["acme"], "timestamp": [2]}))
    # The most frequent provider of an item is the item's.
    assert raw_providers(append(plain, own)) == ["acme", "acme"]
    assert append(plain, own).own_provider_ids.tolist() == [1, 3]
    assert append(own, plain).own_provider_ids.tolist() == [1, 3]


@pytest.mark.parametrize("what", ["times", "ratings"])
def test_parts_that_know_different_things_are_refused(what):
    rows = {"user_id": ["ann"], "item_id": ["tea"], "timestamp": [1], "rating": [5]}
    old = OLD
    if what == "ratings":
        old = load_interactions(pd.DataFrame(rows))
    new = load_interactions(pd.DataFrame(rows), rating_column="rating")
    with pytest.raises(UserError, match=f"Only the newer data has {what}"):
        append(old, new)
    with pytest.raises(UserError, match=f"Only the older data has {what}"):
        append(new, old)
