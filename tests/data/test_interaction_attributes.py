import numpy as np
import pytest

from tf_iclrec import UserError, Vocabulary, load_interactions
from tf_iclrec.data.prepared import read_prepared, write_prepared

from .reductions import REDUCTIONS
from .small_logs import LOG

CATEGORIES = {"tea": "hot", "ale": "cold", "rum": "cold"}


def attributes_of(log):
    """Of each attribute, the raw value by raw item id."""
    return {
        name: {
            item: "" if value == 1 else attribute.vocabulary.ids[value - 3]
            for item, value in zip(log.items.ids, attribute.of_items[3:], strict=True)
        }
        for name, attribute in log.attributes.items()
    }


@pytest.fixture
def with_attributes():
    return LOG.with_item_attribute("category", CATEGORIES).with_item_attribute(
        "country", {"ale": "be", "jam": "be", "tea": ""}
    )


def test_attributes_are_kept_by_name(with_attributes):
    assert LOG.attributes == {}
    assert attributes_of(with_attributes) == {
        "category": {"ale": "cold", "jam": "", "tea": "hot"},
        "country": {"ale": "be", "jam": "be", "tea": ""},
    }
    category = with_attributes.attributes["category"]
    assert category.vocabulary.ids.tolist() == ["cold", "hot"]
    assert category.num_known_items == 2
    assert category.of_items.dtype == np.int32
    assert category.of_items.tolist() == [0, 1, 2, 3, 1, 4]


def test_an_attribute_of_the_same_name_is_replaced(with_attributes):
    log = with_attributes.with_item_attribute("category", {"jam": "sweet"})
    assert attributes_of(log)["category"] == {"ale": "", "jam": "sweet", "tea": ""}
    assert list(log.attributes) == ["category", "country"]


def test_attributes_of_another_data_set_are_refused():
    with pytest.raises(UserError, match=r"data has items like 'ale', the table like 'B0001'"):
        LOG.with_item_attribute("category", {"B0001": "hot"})


@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_left_of_a_log_keeps_its_attributes(name, random_frame):
    log = load_interactions(random_frame(0, users=60))
    # Values of a single item each, so that some of them have nothing left.
    log = log.with_item_attribute("category", {item: f"of {item}" for item in log.items.ids[::2]})
    left = REDUCTIONS[name][0](log)
    before, after = attributes_of(log)["category"], attributes_of(left)["category"]
    assert 0 < left.num_items < log.num_items or name == "first occurrences"
    assert after == {item: before[item] for item in left.items.ids}
    assert set(left.attributes["category"].vocabulary.ids) == {*after.values()} - {""}


def test_with_vocabulary_keeps_the_attributes(with_attributes):
    remapped = with_attributes.with_vocabulary(Vocabulary(["new", "tea", "jam", "ale"]))
    assert attributes_of(remapped) == {
        "category": {"new": "", "tea": "hot", "jam": "", "ale": "cold"},
        "country": {"new": "", "tea": "", "jam": "be", "ale": "be"},
    }


def test_saved_attributes_read_back(with_attributes, tmp_path):
    write_prepared(with_attributes, tmp_path)
    loaded = read_prepared(tmp_path)
    assert attributes_of(loaded) == attributes_of(with_attributes)
    write_prepared(LOG, tmp_path)
    assert read_prepared(tmp_path).attributes == {}
