from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, UserError, Vocabulary

LOG = Interactions.from_sequences(
    {"ann": ["tea", "jam", "tea"], "bob": ["jam"], "cat": ["ale", "jam"]}
)


def frame_of(times, items=None):
    """One user with items a, b, c, ... at the given times."""
    items = items or [chr(ord("a") + i) for i in range(len(times))]
    return pd.DataFrame({"user_id": "u", "item_id": items, "timestamp": times})


def order_of(times, raw_sequences):
    return "".join(raw_sequences(Interactions.from_frame(frame_of(times)))["u"])


def test_sequences_become_flat_arrays():
    assert LOG.items.ids.tolist() == ["ale", "jam", "tea"]
    assert LOG.item_ids.tolist() == [5, 4, 5, 4, 3, 4]
    assert LOG.offsets.tolist() == [0, 3, 4, 6]
    assert LOG.users.tolist() == ["ann", "bob", "cat"]
    assert (LOG.item_ids.dtype, LOG.offsets.dtype) == (np.int32, np.int64)


def test_counts():
    assert (LOG.num_users, LOG.num_items, LOG.num_actions) == (3, 3, 6)
    assert LOG.lengths.tolist() == [3, 1, 2]


def test_frame_is_grouped_by_user_in_order_of_appearance(raw_sequences):
    frame = pd.DataFrame(
        {
            "user_id": ["z", "a", "z", "a"],
            "item_id": ["late", "only", "early", "other"],
            "timestamp": [9, 5, 1, 6],
        }
    )
    log = Interactions.from_frame(frame)
    assert list(raw_sequences(log).items()) == [("z", ["early", "late"]), ("a", ["only", "other"])]


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
    frame = pd.DataFrame({"when": [2, 1], "who": [7, 7], "what": [1.5, "x"], "user_id": [0, 1]})
    assert raw_sequences(Interactions.from_frame(frame, "who", "what", "when")) == {
        "7": ["x", "1.5"]
    }


def test_missing_column_is_named_with_those_that_are_there():
    frame = pd.DataFrame({"customer": ["u"], "item_id": ["a"], "price": [1]})
    message = r"No column 'user_id', 'timestamp'\. Columns there are: customer, item_id, price\."
    with pytest.raises(UserError, match=message):
        Interactions.from_frame(frame)


@pytest.mark.parametrize("column", ["user_id", "item_id"])
@pytest.mark.parametrize("empty", [None, np.nan, ""])
def test_empty_id_is_named_by_row_and_column(column, empty):
    frame = frame_of([1, 2, 3]).astype(object)
    frame.loc[1, column] = empty
    with pytest.raises(UserError, match=f"Row 2 .*'{column}'"):
        Interactions.from_frame(frame)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(["2020-01-01", "2020-01-02", "yesterday"], id="dates"),
        pytest.param(["1577836800", "1577836801", "yesterday"], id="numbers"),
        pytest.param(["1577836800", "1577836801", None], id="numbers, one missing"),
        pytest.param([1.0, 2.0, np.nan], id="not a number"),
        pytest.param(pd.to_datetime(["2020-01-01", "2020-01-02", None]), id="datetimes"),
    ],
)
def test_time_that_cannot_be_read_is_named_by_row(times):
    with pytest.raises(UserError, match="Row 3: the time"):
        Interactions.from_frame(frame_of(times))


def test_table_without_rows_is_refused():
    with pytest.raises(UserError, match="no rows"):
        Interactions.from_frame(frame_of([]))


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


def test_first_occurrences_keeps_the_earliest(raw_sequences):
    log = Interactions.from_sequences({"ann": ["b", "a", "b", "c", "a"], "bob": ["a", "a"]})
    assert raw_sequences(log.first_occurrences()) == {"ann": ["b", "a", "c"], "bob": ["a"]}


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


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_core_agrees_with_removal_one_by_one(seed, k, random_log, raw_sequences):
    log = random_log(seed, users=60, items=45, shortest=1, longest=11)
    core = log.core(k)
    expected = slow_core(raw_sequences(log), k)
    assert 0 < len(expected) < 60 or k == 1
    assert raw_sequences(core) == expected
    assert set(core.items.ids) == {item for items in expected.values() for item in items}


def test_core_repeats_until_nothing_is_rare():
    """Each removal makes the next user or item rare, down to the pair that is left."""
    chain = {f"u{i}": [f"i{i}", f"i{i + 1}"] for i in range(20)}
    pair = {"p": ["x", "y"], "q": ["x", "y"]}
    assert Interactions.from_sequences(chain | pair).core(2).users.tolist() == ["p", "q"]


def test_core_in_which_nothing_is_left_is_refused():
    with pytest.raises(UserError, match="left in the 3-core"):
        LOG.core(3)


def test_saved_log_reads_back(tmp_path, raw_sequences):
    log = Interactions.from_sequences({"007": ["é", 'a "b"', "é"], "NA": ["null"]})
    log.save(tmp_path / "new" / "folder")
    loaded = Interactions.load(tmp_path / "new" / "folder")
    assert raw_sequences(loaded) == raw_sequences(log)
    assert loaded.items.ids.tolist() == log.items.ids.tolist()
    assert (loaded.item_ids.dtype, loaded.offsets.dtype) == (np.int32, np.int64)


@pytest.mark.parametrize("missing", ["sequences.npz", "users.json", "items.json"])
def test_folder_without_all_three_files_is_refused(missing, tmp_path):
    LOG.save(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match="holds no prepared data"):
        Interactions.load(tmp_path)
