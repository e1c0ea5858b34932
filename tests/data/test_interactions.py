import dataclasses
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import (
    Interactions,
    Selection,
    UserError,
    Vocabulary,
    leave_one_out,
    load_interactions,
)
from tf_iclrec.data.preparation.prepare_log import reduce_log
from tf_iclrec.data.prepared import read_metadata, read_prepared, write_prepared

LOG = Interactions.from_sequences(
    {"ann": ["tea", "jam", "tea"], "bob": ["jam"], "cat": ["ale", "jam"]}
)


def frame_of(times, items=None):
    """One user with items a, b, c, ... at the given times."""
    items = items or [chr(ord("a") + i) for i in range(len(times))]
    return pd.DataFrame({"user_id": "u", "item_id": items, "timestamp": times})


def order_of(times, raw_sequences):
    return "".join(raw_sequences(load_interactions(frame_of(times)))["u"])


def test_sequences_become_flat_arrays():
    assert LOG.items.ids.tolist() == ["ale", "jam", "tea"]
    assert LOG.item_ids.tolist() == [5, 4, 5, 4, 3, 4]
    assert LOG.offsets.tolist() == [0, 3, 4, 6]
    assert LOG.users.tolist() == ["ann", "bob", "cat"]
    assert (LOG.item_ids.dtype, LOG.offsets.dtype) == (np.int32, np.int64)


def test_counts():
    assert (LOG.num_users, LOG.num_items, LOG.num_actions) == (3, 3, 6)
    assert LOG.lengths.tolist() == [3, 1, 2]


def test_frame_is_grouped_by_user_in_their_order(raw_sequences):
    frame = pd.DataFrame(
        {
            "user_id": ["z", "a", "z", "a"],
            "item_id": ["late", "only", "early", "other"],
            "timestamp": [9, 5, 1, 6],
        }
    )
    log = load_interactions(frame)
    assert list(raw_sequences(log).items()) == [("a", ["only", "other"]), ("z", ["early", "late"])]


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([30, 4, 100], id="integers"),
        pytest.param([2.5, -1.0, 1e9], id="floats"),
        pytest.param(["30", "4", "100"], id="numbers as text"),
        pytest.param([2**53 + 1, 2**53, 2**53 + 2], id="integers beyond float64"),
        pytest.param(["2020-02-01", "2019-12-31", "2020-02-01T00:00:01"], id="ISO 8601 text"),
        pytest.param(
            ["2020-01-01T11:00:00+02:00", "2020-01-01T08:00:00Z", "2020-01-01T10:00:00Z"],
            id="time zones",
        ),
        pytest.param(pd.to_datetime(["2020-02-01", "2019-12-31", "2021-01-01"]), id="datetimes"),
        pytest.param(
            pd.to_datetime(["2020-02-01", "2019-12-31", "2021-01-01"], utc=True),
            id="datetimes with zone",
        ),
    ],
)
def test_frame_is_ordered_by_time(times, raw_sequences):
    assert order_of(times, raw_sequences) == "bac"


def test_rows_of_the_same_time_keep_their_order(raw_sequences):
    times = [2, 1] * 12
    assert order_of(times, raw_sequences) == "bdfhjlnprtvx" + "acegikmoqsuw"


def test_columns_can_have_other_names(raw_sequences):
    frame = pd.DataFrame({"when": [2, 1], "who": [7, 7], "what": ["1.5", "x"], "user_id": [0, 1]})
    assert raw_sequences(load_interactions(frame, "who", "what", "when")) == {"7": ["x", "1.5"]}


def test_missing_column_is_named_with_those_that_are_there():
    frame = pd.DataFrame({"who": ["u"], "item_id": ["a"], "price": [1]})
    message = (
        r"No column looks like the user in the table\. Columns there are: who, item_id, price\. "
        r"Name yours with --user-column\."
    )
    with pytest.raises(UserError, match=message):
        load_interactions(frame)


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
@pytest.mark.parametrize("empty", [None, np.nan, ""])
def test_rows_without_an_id_or_a_time_are_left_out(column, empty, raw_sequences):
    frame = frame_of(["1", "2", "3"]).astype(object)
    frame.loc[1, column] = empty
    assert raw_sequences(load_interactions(frame)) == {"u": ["a", "c"]}


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(["2020-01-01", "2020-01-02", "yesterday"], id="dates"),
        pytest.param(["1577836800", "1577836801", "yesterday"], id="numbers"),
        pytest.param(["2020-01-01", "2020-01-02", "2020-02-30"], id="no such day"),
        pytest.param([1.0, 2.0, np.inf], id="infinite"),
    ],
)
def test_time_that_cannot_be_read_is_named_by_row(times):
    message = "the table, row 3, column 'timestamp': '.*' is neither a number nor an ISO 8601"
    with pytest.raises(UserError, match=message):
        load_interactions(frame_of(times))


def test_table_without_rows_is_refused():
    with pytest.raises(UserError, match="no rows"):
        load_interactions(frame_of([]))


def test_integer_items_are_sorted_as_numbers():
    log = Interactions.from_columns(np.zeros(3, int), np.array(["u"]), np.array([10, 9, 100]))
    assert log.items.ids.tolist() == ["9", "10", "100"]


def test_with_vocabulary_changes_ids_and_not_sequences(raw_sequences):
    larger = Vocabulary(["tea", "milk", "jam", "ale"])
    remapped = LOG.with_vocabulary(larger)
    assert remapped.item_ids.tolist() == [3, 5, 3, 5, 6, 5]
    assert remapped.num_items == 4
    assert raw_sequences(remapped) == raw_sequences(LOG)


def test_with_vocabulary_names_an_item_it_lacks():
    with pytest.raises(UserError, match="'tea' of the data is not in the vocabulary"):
        LOG.with_vocabulary(Vocabulary(["jam", "ale"]))


def test_select_drops_users_and_items_that_have_nothing_left(raw_sequences):
    kept = LOG.select(np.array([True, False, True, False, False, True]))
    assert raw_sequences(kept) == {"ann": ["tea", "tea"], "cat": ["jam"]}
    assert kept.items.ids.tolist() == ["jam", "tea"]


def test_saved_log_reads_back(tmp_path, raw_sequences):
    log = Interactions.from_sequences({"007": ["é", 'a "b"', "é"], "NA": ["null"]})
    write_prepared(log, tmp_path / "new" / "folder")
    loaded = read_prepared(tmp_path / "new" / "folder")
    assert raw_sequences(loaded) == raw_sequences(log)
    assert loaded.items.ids.tolist() == log.items.ids.tolist()
    assert (loaded.item_ids.dtype, loaded.offsets.dtype) == (np.int32, np.int64)


@pytest.mark.parametrize(
    "missing",
    [
        *("item_ids.npy", "offsets.npy", "users.json", "items.json", "providers.json"),
        "attributes.json",
    ],
)
def test_folder_without_all_its_files_is_refused(missing, tmp_path):
    log = LOG.with_item_providers({"tea": "acme"}).with_item_attribute("category", {"tea": "hot"})
    write_prepared(log, tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match="holds no prepared data"):
        read_prepared(tmp_path)


# Providers


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


def slow_core(sequences, k):
    """Remove one rare user or item at a time."""
    while True:
        counts = Counter(item for items in sequences.values() for item in items)
        short = next((user for user, items in sequences.items() if len(items) < k), None)
        rare = next((item for item, count in counts.items() if count < k), None)
        if short is not None:
            sequences = {user: items for user, items in sequences.items() if user != short}
        elif rare is not None:
            sequences = {
                user: [item for item in items if item != rare] for user, items in sequences.items()
            }
        else:
            return sequences


def slow_core_of_triples(rows):
    sequences = {}
    for user, item, _ in rows:
        sequences.setdefault(user, []).append(item)
    core = slow_core(sequences, 3)
    items = {item for sequence in core.values() for item in sequence}
    return [row for row in rows if row[0] in core and row[1] in items]


def slow_first_occurrences(rows):
    pairs = [row[:2] for row in rows]
    return [row for place, row in enumerate(rows) if row[:2] not in pairs[:place]]


def slow_drop_short_users(rows):
    lengths = Counter(user for user, *_ in rows)
    return [row for row in rows if lengths[row[0]] >= 3]


REDUCTIONS = {
    "select": (
        lambda log: log.select(np.arange(log.num_actions) % 7 == 0),
        lambda rows: rows[::7],
    ),
    "core": (
        lambda log: reduce_log(log, Selection(min_user_count=3, min_item_count=3)).log,
        slow_core_of_triples,
    ),
    "first occurrences": (
        lambda log: reduce_log(log, Selection(repeats="first")).log,
        slow_first_occurrences,
    ),
    "long enough users": (lambda log: leave_one_out(log).interactions, slow_drop_short_users),
}


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


def test_sequences_stay_in_their_file_until_they_are_read(tmp_path, random_frame):
    log = load_interactions(random_frame(0))
    write_prepared(log, tmp_path)
    loaded = read_prepared(tmp_path)
    for name in ("item_ids", "own_provider_ids"):
        assert isinstance(getattr(loaded, name), np.memmap)
        np.testing.assert_array_equal(getattr(loaded, name), getattr(log, name))


def test_damaged_data_is_refused_with_its_folder(tmp_path):
    write_prepared(LOG, tmp_path)
    whole = (tmp_path / "item_ids.npy").read_bytes()
    (tmp_path / "item_ids.npy").write_bytes(whole[:-4])
    with pytest.raises(UserError, match=f"prepared data in {tmp_path} is damaged"):
        read_prepared(tmp_path)


# What else is known of the items


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


# Times and ratings


def test_times_stay_with_their_interactions():
    frame = pd.DataFrame(
        {
            "user_id": ["b", "a", "b", "a", "c"],
            "item_id": ["x", "y", "z", "x", "z"],
            "timestamp": [30, 20, 10, 40, 50],
        }
    )
    log = load_interactions(frame)
    by_user = dict(zip(log.users, np.split(log.times // 1_000_000, log.offsets[1:-1]), strict=True))
    assert {user: times.tolist() for user, times in by_user.items()} == {
        "b": [10, 30],
        "a": [20, 40],
        "c": [50],
    }
    left = log.select(log.item_ids == log.items.encode(["z"])[0])
    assert (left.times // 1_000_000).tolist() == [10, 50]


def test_saved_times_and_ratings_read_back(tmp_path):
    log = dataclasses.replace(
        LOG,
        times=np.arange(LOG.num_actions) * 86_400_000_000,
        ratings=np.linspace(0, 1, LOG.num_actions, dtype=np.float32),
    )
    write_prepared(log, tmp_path)
    loaded = read_prepared(tmp_path)
    np.testing.assert_array_equal(loaded.times, log.times)
    np.testing.assert_array_equal(loaded.ratings, log.ratings)
    figures = read_metadata(tmp_path)["statistics"]
    assert figures["actions"] == LOG.num_actions
    assert figures["first_time"] == "1970-01-01"
    write_prepared(LOG, tmp_path)
    assert read_prepared(tmp_path).times is None
