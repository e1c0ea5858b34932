"""One value for each item, whatever people have for values."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, ItemAttribute, UserError
from tf_iclrec.data.new_items import larger_log


@pytest.mark.parametrize("empty", [None, float("nan"), np.nan, pd.NA, pd.NaT, ""], ids=repr)
def test_what_is_missing_is_unknown(empty):
    log = Interactions.from_sequences({"ann": ["tea", "jam", "oil", "rye"]})
    values = {"tea": "acme", "jam": empty, "oil": 7, "rye": "nan"}
    log = log.with_item_providers(values).with_item_label("color", values)
    for known in (log.providers, log.labels["color"]):
        assert known.vocabulary.ids.tolist() == ["7", "acme", "nan"]
        assert [known.value_of(id_) for id_ in log.items.encode(list(values))] == [
            *("acme", "", "7", "nan")
        ]
    larger = larger_log(log, {"fig": {"provider": empty}, "bun": {"provider": 8}})
    assert larger.providers.vocabulary.ids.tolist() == ["7", "acme", "nan", "8"]
    assert larger.providers.of_items[-2:].tolist() == [1, 6]


@pytest.mark.parametrize("empty", [None, float("nan")])
def test_an_interaction_without_an_item_is_refused(empty):
    """Its number would be that of the mask."""
    items = np.array(["tea", empty, "jam"], dtype=object)
    with pytest.raises(UserError, match="Interaction 2 of the log has no item: leave it out"):
        Interactions.from_columns(np.zeros(3, int), np.array(["ann"]), items)


def test_one_long_value_takes_no_room_for_all_items():
    """As arrays of text of one width, these take 160 MB each time they are made."""
    count, long = 2000, "x" * 20_000
    ids = [f"{number:04}" for number in range(count)]
    items = np.array([*ids[1:], long], dtype=object)
    tracemalloc.start()
    try:
        log = Interactions.from_columns(np.zeros(count, int), np.array(["ann"]), items)
        log = log.with_item_label("title", {one: f"{one[:9]}!" for one in items} | {long: long})
        label, _ = log.labels["title"].or_else(ItemAttribute.from_values(log.items, {long: "y"}))
        label = label.with_further_items(["z", f"{long}z"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20e6
    assert log.items.ids.tolist() == [*ids[1:], long]
    titles = [f"{one}!" for one in ids[1:]]
    assert label.vocabulary.ids.tolist() == [*titles, long, "y", f"{long}z", "z"]
