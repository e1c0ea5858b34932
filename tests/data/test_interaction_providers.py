from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import UserError, Vocabulary, load_interactions
from tf_iclrec.data.prepared import read_prepared, write_prepared

from .reductions import REDUCTIONS
from .small_logs import LOG, frame_of


def table_of(rng, items):
    """A provider for most of the items, for some of them an unknown one."""
    names = rng.choice(["", "able", "best", "bold"], size=len(items))
    return {item: name for item, name in zip(items, names, strict=True) if rng.random() < 0.6}


def triples_of(log, raw_providers):
    """User, item and provider of each interaction."""
    users = np.repeat(log.users, log.lengths).tolist()
    items = log.items.decode(log.item_ids).tolist()
    return list(zip(users, items, raw_providers(log), strict=True))


def by_user(frame):
    """The rows in the order of the log: users by number."""
    return frame.sort_values("user_id", key=lambda ids: ids.astype(int), kind="stable")


def most_frequent(names):
    counts = Counter(name for name in names if name)
    return min(counts, key=lambda name: (-counts[name], name), default="")


def test_log_without_providers_has_none():
    assert (LOG.providers, LOG.own_provider_ids, LOG.provider_ids) == (None, None, None)


def test_a_table_gives_each_interaction_the_provider_of_its_item():
    log = LOG.with_item_providers({"tea": "best", "ale": "acme", "rum": "dean"})
    assert log.providers.vocabulary.ids.tolist() == ["acme", "best"]
    assert log.providers.of_items.tolist() == [0, 1, 2, 3, 1, 4]
    assert log.provider_ids.tolist() == [4, 1, 4, 1, 3, 1]
    assert log.own_provider_ids is None
    assert (log.providers.of_items.dtype, log.provider_ids.dtype) == (np.int32, np.int32)
    assert log.item_ids.tolist() == LOG.item_ids.tolist()


def test_item_with_an_empty_provider_is_unknown():
    log = LOG.with_item_providers({"tea": "", "jam": "acme", "ale": ""})
    assert log.provider_ids.tolist() == [1, 3, 1, 3, 1, 3]
    assert log.providers.num_known_items == 1


def test_table_of_another_data_set_names_an_item_of_each():
    with pytest.raises(UserError, match=r"data has items like 'ale', the table like 'B0001'"):
        LOG.with_item_providers({"B0001": "acme", "B0002": "best"})


def test_a_second_table_adds_to_the_first(raw_providers):
    first = LOG.with_item_providers({"tea": "best", "jam": "zeal"})
    log = first.with_item_providers({"tea": "acme", "jam": "", "ale": "cosy"})
    assert raw_providers(log) == ["acme", "zeal", "acme", "zeal", "cosy", "zeal"]


def test_column_without_a_name_in_it_makes_everything_unknown(random_frame):
    log = load_interactions(random_frame(0).assign(provider=""))
    assert set(log.provider_ids.tolist()) == {1}
    assert len(log.providers.vocabulary) == log.providers.num_known_items == 0


def test_frame_without_the_column_has_no_providers(random_frame):
    assert load_interactions(random_frame(0).drop(columns="provider")).providers is None
    assert load_interactions(random_frame(0), provider_column="seller").providers is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(["y", "", "x", None], ["y", "y", "x", "x"], id="text"),
        pytest.param([7, 7, 8, 8], ["7", "7", "8", "8"], id="integers"),
        pytest.param([7, None, 8, 8], ["7", "7", "8", "8"], id="integers with a hole"),
        pytest.param([0.5, None, 8, 8], ["0.5", "0.5", "8", "8"], id="floats"),
        pytest.param(pd.array([7, None, 8, 8], "Int64"), ["7", "7", "8", "8"], id="Int64"),
        pytest.param(pd.Categorical(["y", None, "x", "x"]), ["y", "y", "x", "x"], id="categories"),
        pytest.param(pd.Categorical([7, None, 8, 8]), ["7", "7", "8", "8"], id="number categories"),
        pytest.param([None] * 4, [""] * 4, id="nothing"),
    ],
)
def test_provider_column_can_have_any_type(cells, expected, raw_providers):
    frame = frame_of([1, 2, 3, 4], items=["a", "a", "b", "b"]).assign(seller=cells)
    assert raw_providers(load_interactions(frame, provider_column="seller")) == expected


@pytest.mark.parametrize("seed", range(5))
def test_an_item_has_its_most_frequent_known_provider(
    seed, random_frame, raw_providers, raw_providers_of_items
):
    frame = by_user(random_frame(seed))
    log = load_interactions(frame)
    of_items = {item: most_frequent(rows["provider"]) for item, rows in frame.groupby("item_id")}
    assert "" in of_items.values()
    assert raw_providers_of_items(log) == of_items
    assert triples_of(log, raw_providers) == [
        (user, item, own or of_items[item]) for user, item, _, own in frame.values.tolist()
    ]


def test_providers_follow_their_interactions_into_the_order_of_time(raw_providers):
    frame = frame_of([3, 1, 2]).assign(provider=["late", "early", "middle"])
    assert raw_providers(load_interactions(frame)) == ["early", "middle", "late"]


@pytest.mark.parametrize("seed", range(5))
def test_own_provider_wins_over_the_table_and_the_table_over_the_majority(
    seed, random_frame, raw_providers, raw_providers_of_items
):
    frame = by_user(random_frame(seed))
    log = load_interactions(frame)
    majority = raw_providers_of_items(log)
    table = table_of(np.random.default_rng(seed), log.items.ids)
    of_items = {item: table.get(item) or majority[item] for item in majority}
    merged = log.with_item_providers(table)
    assert raw_providers_of_items(merged) == of_items
    assert triples_of(merged, raw_providers) == [
        (user, item, own or of_items[item]) for user, item, _, own in frame.values.tolist()
    ]
    assert merged.own_provider_ids.dtype == merged.provider_ids.dtype == np.int32


@pytest.mark.parametrize("kind", ["column", "table", "both"])
@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_left_of_a_log_keeps_its_providers(
    seed, name, kind, random_frame, raw_providers, raw_providers_of_items
):
    column = "none" if kind == "table" else "provider"
    log = load_interactions(random_frame(seed, users=60), provider_column=column)
    if kind != "column":
        # Providers of a single item each, so that some of them have nothing left.
        table = {item: f"of {item}" for item in log.items.ids[::2]}
        log = log.with_item_providers(table)
    rows, of_items = triples_of(log, raw_providers), raw_providers_of_items(log)
    reduce, slow = REDUCTIONS[name]
    left, expected = reduce(log), slow(rows)
    assert 0 < len(expected) < len(rows)
    assert triples_of(left, raw_providers) == expected
    kept_of_items = {item: of_items[item] for _, item, _ in expected}
    assert raw_providers_of_items(left) == kept_of_items
    used = {*kept_of_items.values(), *(provider for *_, provider in expected)} - {""}
    assert set(left.providers.vocabulary.ids) == used
    assert (left.own_provider_ids is None) == (kind == "table")


def test_providers_without_an_interaction_left_are_gone():
    log = LOG.with_item_providers({"tea": "best", "jam": "acme", "ale": "cosy"})
    kept = log.select(np.array([True, False, True, False, True, False]))
    assert kept.providers.vocabulary.ids.tolist() == ["best", "cosy"]
    assert kept.provider_ids.tolist() == [3, 3, 4]


def test_provider_of_an_item_stays_when_its_own_interactions_are_gone():
    frame = frame_of([1, 2, 3], items=["a", "a", "a"]).assign(provider=["x", "x", "y"])
    kept = load_interactions(frame).select(np.array([False, False, True]))
    assert kept.providers.vocabulary.ids.tolist() == ["x", "y"]
    assert (kept.providers.of_items.tolist(), kept.provider_ids.tolist()) == ([0, 1, 2, 3], [4])


def test_with_vocabulary_keeps_each_provider(random_frame, raw_providers, raw_providers_of_items):
    log = load_interactions(random_frame(0)).with_item_providers({"1": "emma"})
    larger = Vocabulary(["new", *log.items.ids[::-1], "newer"])
    remapped = log.with_vocabulary(larger)
    assert triples_of(remapped, raw_providers) == triples_of(log, raw_providers)
    of_items = raw_providers_of_items(remapped)
    assert (of_items.pop("new"), of_items.pop("newer")) == ("", "")
    assert of_items == raw_providers_of_items(log)
    assert remapped.providers.of_items[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["column", "table", "both"])
def test_saved_providers_read_back(
    kind, tmp_path, random_frame, raw_providers, raw_providers_of_items
):
    column = "none" if kind == "table" else "provider"
    log = load_interactions(random_frame(0), provider_column=column)
    if kind != "column":
        log = log.with_item_providers({"1": 'é "x"', "2": "NA"})
    write_prepared(log, tmp_path)
    loaded = read_prepared(tmp_path)
    assert triples_of(loaded, raw_providers) == triples_of(log, raw_providers)
    assert raw_providers_of_items(loaded) == raw_providers_of_items(log)
    assert (loaded.own_provider_ids is None) == (kind == "table")
    assert loaded.providers.of_items.dtype == loaded.provider_ids.dtype == np.int32


def test_log_without_providers_replaces_one_with_them(tmp_path):
    write_prepared(LOG.with_item_providers({"tea": "acme"}), tmp_path)
    write_prepared(LOG, tmp_path)
    assert read_prepared(tmp_path).provider_ids is None
