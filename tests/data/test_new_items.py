"""Means of the items of a kind, against the slow way; tables of new items."""

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Catalogue, Interactions, ItemAttribute, UserError, Vocabulary
from tf_iclrec.data.item_attributes import special_ids_and
from tf_iclrec.data.new_items import MeansOfKindred, larger_log, read_new_items
from tf_iclrec.serving.item_filters import allowed_items

NUM_KNOWN, NUM_NEW = 40, 12


@pytest.fixture
def log():
    log = Interactions.from_sequences({"ann": ["tea", "jam", "rye"], "bob": ["jam", "oil"]})
    log = log.with_item_providers({"tea": "acme", "jam": "best", "rye": "best"})
    return log.with_item_attribute("kind", {"tea": "drink", "jam": "food"})


def test_a_new_item_is_the_mean_of_the_means_of_its_values():
    random = np.random.default_rng(0)
    # The last values of each are of new items alone, 1 is unknown.
    values = {
        name: np.concatenate(
            [random.integers(1, 5, size=NUM_KNOWN), random.integers(1, 7, size=NUM_NEW)]
        )
        for name in ("kind", "provider")
    }
    values["kind"][-1] = values["provider"][-1] = 6
    values = {name: np.where(ids == 2, 3, ids) for name, ids in values.items()}
    known = {
        name: ItemAttribute(Vocabulary([*"abcd"]), special_ids_and(ids))
        for name, ids in values.items()
    }
    catalogue = Catalogue(NUM_KNOWN + NUM_NEW, providers=known.pop("provider"), attributes=known)
    rows = random.normal(size=(NUM_KNOWN, 3)).astype("float32")
    means = MeansOfKindred(catalogue, NUM_KNOWN)
    found = means(rows)
    for new in range(NUM_NEW):
        kinds = []
        for ids in values.values():
            value = ids[NUM_KNOWN + new]
            same = [row for row in range(NUM_KNOWN) if ids[row] == value]
            if value >= 3 and same:
                kinds.append(rows[same].mean(axis=0))
        assert means.found[new] == bool(kinds)
        expected = np.mean(kinds, axis=0) if kinds else np.zeros(3)
        np.testing.assert_allclose(found[new], expected, rtol=1e-5, atol=1e-6)
    assert 0 < means.found.sum() < NUM_NEW


def test_items_and_values_that_are_there_keep_their_ids(log):
    larger = larger_log(
        log,
        {
            "ale": {"provider": "zero", "kind": "drink"},
            "jam": {"provider": "other"},
            "bun": {"kind": ""},
        },
    )
    assert larger.items.ids.tolist() == [*log.items.ids, "ale", "bun"]
    for name, one in log.catalogue.known.items():
        again = larger.catalogue.known[name]
        size = log.items.size
        np.testing.assert_array_equal(again.of_items[:size], one.of_items)
        np.testing.assert_array_equal(
            again.vocabulary.ids[: len(one.vocabulary)], one.vocabulary.ids
        )
    assert larger.providers.vocabulary.ids.tolist() == ["acme", "best", "zero"]
    assert larger.providers.of_items[-2:].tolist() == [5, 1]
    assert larger.attributes["kind"].of_items[-2:].tolist() == [3, 1]
    assert larger.item_ids is log.item_ids


def test_a_table_has_the_columns_of_the_data(log, tmp_path):
    path = tmp_path / "new.csv"
    frame = {"what": ["ale", "bun"], "brand": ["best", ""], "kind": ["all|drink", "food"]}
    pd.DataFrame(frame).to_csv(path, index=False)
    assert read_new_items(path, log.catalogue, "what", "brand") == {
        "ale": {"kind": "drink", "provider": "best"},
        "bun": {"kind": "food", "provider": ""},
    }
    with pytest.raises(UserError, match="No column looks like the item"):
        read_new_items(path, log.catalogue, provider_column="brand")
    with pytest.raises(UserError, match="has no column 'provider'"):
        read_new_items(path, log.catalogue, "what")


@pytest.mark.parametrize("values", [{"color": "red"}, "acme"])
def test_a_mapping_names_what_is_known_of_the_others(log, values):
    with pytest.raises(UserError, match="values are given by name, of: kind, provider"):
        read_new_items({"ale": values}, log.catalogue)


def test_something_must_be_known_of_the_items_and_ids_must_be_there(log):
    with pytest.raises(UserError, match="none are known of the items of this data"):
        read_new_items({"ale": {}}, Catalogue(3))
    with pytest.raises(UserError, match="empty id"):
        larger_log(log, {"": {"kind": "food"}})


def test_labels_that_a_table_has_come_with_its_items(log, tmp_path):
    """So that filters by them hold for new items, too."""
    log = log.with_item_label("aisle", {"tea": "3"}).with_item_label("title", {"tea": "Tea"})
    path = tmp_path / "new.csv"
    path.write_text("item_id,provider,kind,aisle,product_name\nale,best,drink,5,Pale ale\n")
    new = read_new_items(path, log.catalogue)
    assert new == {"ale": {"provider": "best", "kind": "drink", "aisle": "5", "title": "Pale ale"}}
    larger = larger_log(log, new)
    assert larger.labels["aisle"].vocabulary.ids.tolist()[-1] == "5"
    assert allowed_items(larger.catalogue, {"aisle": "5"}, None).nonzero()[0].tolist() == [
        larger.num_items - 1
    ]
    path.write_text("item_id,provider,kind\nale,best,drink\n")
    assert read_new_items(path, log.catalogue) == {"ale": {"provider": "best", "kind": "drink"}}
    given = {"ale": {"kind": "drink", "aisle": "5"}}
    assert read_new_items(given, log.catalogue) == given
