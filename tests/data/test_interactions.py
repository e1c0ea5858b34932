import dataclasses

import numpy as np
import pandas as pd
import pytest

from tf_iclrec import Interactions, UserError, Vocabulary, load_interactions
from tf_iclrec.data.prepared import read_metadata, read_prepared, write_prepared

from .small_logs import LOG, frame_of


def order_of(times, raw_sequences):
    return "".join(raw_sequences(load_interactions(frame_of(times)))["u"])


def test_sequences_become_flat_arrays():
    assert LOG.items.ids.tolist() == ["ale", "jam", "tea"]
    assert LOG.item_ids.tolist() == [5, 4, 5, 4, 3, 4]
    assert LOG.offsets.tolist() == [0, 3, 4, 6]
    assert LOG.users.tolist() == ["ann", "bob", "cat"]
    assert (LOG.item_ids.dtype, LOG.offsets.dtype) == (np.int32, np.int64)


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_a_missing_item_is_none(missing):
    with pytest.raises(UserError, match="Interaction 2 of the log has no item: leave it out"):
        Interactions.from_sequences({"ann": ["tea", missing], "bob": ["jam"]})


def test_whole_numbers_have_no_point_as_items_or_values_of_items():
    log = Interactions.from_sequences({"ann": [1.0, 2.0]})
    assert log.items.ids.tolist() == ["1", "2"]
    log = log.with_item_attribute("size", {"1": 12.0})
    assert log.attributes["size"].vocabulary.ids.tolist() == ["12"]


def test_what_is_known_of_items_has_a_name_that_filters_can_say():
    for add in (LOG.with_item_attribute, LOG.with_item_label):
        with pytest.raises(UserError, match=r"can't be called 'a=b': filters are written name=val"):
            add("a=b", {"tea": "x"})


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
        r"Name yours with --user-column, rename it to user_id, or"
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


def test_sequences_stay_in_their_file_until_they_are_read(tmp_path, random_frame):
    log = load_interactions(random_frame(0))
    write_prepared(log, tmp_path)
    loaded = read_prepared(tmp_path)
    for name in ("item_ids", "own_provider_ids"):
        assert isinstance(getattr(loaded, name), np.memmap)
        np.testing.assert_array_equal(getattr(loaded, name), getattr(log, name))


@pytest.mark.parametrize("name", ["item_ids.npy", "offsets.npy", "users.json", "metadata.json"])
def test_a_flipped_byte_is_found(name, tmp_path):
    write_prepared(LOG, tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=r"\.(npy|json) is damaged: "):
        read_prepared(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("item_ids", np.array([3, 4, 9, 3, 4, 3], "int32"), "item_ids that are not in the vocab"),
        ("item_ids", np.array([3, 4, -1, 3, 4, 3], "int32"), "item_ids that are not in the vocab"),
        *(
            ("item_ids", np.array([3, 4, special, 3, 4, 3], "int32"), "item_ids that are not in")
            for special in range(3)
        ),
        ("item_ids", np.array([3.0] * 6), "item_ids of another shape or type"),
        ("item_ids", np.array([{"tea": 1}] * 6), "Python objects"),
        ("offsets", np.array([0, 5, 3, 6]), "offsets that don't fit"),
        ("offsets", np.array([0, 3, 9]), "offsets that don't fit"),
        ("times", np.arange(5), "times that don't fit"),
        ("times", np.array([1, 3, 2, 7, 8, 8]), "times that fall within a user"),
        ("times", np.array([1, 1, 2, 7, 9, 8]), "times that fall within a user"),
        ("users", '["ann", "bob", 7]', "ids that are no list of strings"),
        ("users", "[" * 100_000, ""),
        ("items", '["jam", "jam"]', "occurs more than once"),
        ("items", "{", ""),
    ],
)
def test_parts_that_don_t_fit_are_refused_whoever_wrote_them(name, content, message, tmp_path):
    write_prepared(LOG, tmp_path)
    (tmp_path / "metadata.json").unlink()
    if isinstance(content, str):
        (tmp_path / f"{name}.json").write_text(content)
    else:
        np.save(tmp_path / f"{name}.npy", content)
    with pytest.raises(UserError, match=f"prepared data in {tmp_path} is damaged.*{message}"):
        read_prepared(tmp_path)


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


@pytest.mark.parametrize("block", [1, 2, 4, 100])
def test_times_may_fall_from_one_user_to_the_next(block, tmp_path, monkeypatch):
    """Also beside users without interactions, and wherever the log is cut for the look at it."""
    monkeypatch.setattr("tf_iclrec.data.arrays.BLOCK", block)
    log = Interactions.from_columns(
        np.array([1, 1, 1, 3, 6, 6]),
        np.array([*"abcdefgh"]),
        np.array([*"xyzxyz"]),
        np.array([7, 8, 9, 5, 1, 1]),
    )
    write_prepared(log, tmp_path)
    assert read_prepared(tmp_path).times.tolist() == log.times.tolist()
    users = log.owners
    for place in (1, 2, 5):
        times = log.times.copy()
        times[place] = 0
        write_prepared(dataclasses.replace(log, times=times), tmp_path)
        with pytest.raises(UserError, match="is damaged: times that fall within a user"):
            read_prepared(tmp_path)
        with pytest.raises(UserError, match="Times fall within a user: sort the interactions"):
            Interactions.from_columns(users, log.users, log.item_ids, times)


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


def test_ids_of_users_become_text_as_those_of_items_do(tmp_path):
    log = Interactions.from_sequences({1: [10, 20], 2: [20]})
    assert log.users.tolist() == ["1", "2"]
    write_prepared(log, tmp_path)
    assert read_prepared(tmp_path).users.tolist() == ["1", "2"]


@pytest.mark.parametrize("kind", [np.int64, np.uint32])
def test_users_out_of_order_are_refused(kind):
    codes = np.array([0, 1, 0], kind)
    with pytest.raises(UserError, match="Users are out of order: sort the interactions"):
        Interactions.from_columns(codes, ["ann", "bob"], np.array(["a", "b", "c"]))


def test_users_of_the_same_id_as_text_are_refused():
    with pytest.raises(UserError, match="Two users have the id '7'"):
        Interactions.from_sequences({7: ["a"], "7": ["b"]})


def test_an_item_without_an_id_is_refused():
    with pytest.raises(UserError, match="Interaction 3 of the log has no item"):
        Interactions.from_sequences({"ann": ["b", "a"], "bob": ["", "a"]})
