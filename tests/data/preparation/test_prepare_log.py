"""Preparation against a slow one in plain Python."""

import csv
import datetime
import re
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tf_iclrec import Selection, UserError, load_interactions
from tf_iclrec.data.preparation.prepare import prepare

SECOND = 1_000_000
# The times of the random logs, which repeat often.
DAY, FIRST = 86_400, 1_500_000_000


def natural(ids):
    """Numbers by size if all are, otherwise by their bytes."""
    whole = all(re.fullmatch("0|[1-9][0-9]*", one) for one in ids)
    return sorted(ids, key=int if whole else str.encode)


def slow_prepare(rows, since=None, until=None, min_rating=0.0, repeats="keep", core=0):
    """By user in natural order what is known of each interaction, and the rows dropped by
    reason."""
    dropped, by_user = Counter(), {}
    for row in rows:
        time = int(row["timestamp"]) * SECOND if row["timestamp"] else None
        rating = float(row["rating"]) if row["rating"] else None
        reasons = {
            "without a user": not row["user_id"],
            "without an item": not row["item_id"],
            "without a time": time is None,
            "before --since": since is not None and time is not None and time < since,
            "not before --until": until is not None and time is not None and time >= until,
            "without a rating": min_rating and rating is None,
            "rated below --min-rating": min_rating and rating is not None and rating < min_rating,
        }
        reason = next((name for name, holds in reasons.items() if holds), None)
        if reason:
            dropped[reason] += 1
            continue
        known = {"item_id": row["item_id"], "timestamp": time, "provider": row["provider"]}
        by_user.setdefault(row["user_id"], []).append(known)
    left = []
    for user in natural(by_user):
        ordered = sorted(by_user[user], key=lambda one: one["timestamp"])  # Ties stay.
        items = [one["item_id"] for one in ordered]
        for place, one in enumerate(ordered):
            item = one["item_id"]
            again = {
                "keep": False,
                "first": item in items[:place],
                "last": item in items[place + 1 :],
                "drop-consecutive": place and items[place - 1] == item,
            }[repeats]
            dropped["repeated"] += bool(again)
            left += [] if again else [(user, one)]
    before = len(left)
    while core:
        users = Counter(user for user, _ in left)
        items = Counter(one["item_id"] for _, one in left)
        smaller = [
            (u, one) for u, one in left if users[u] >= core and items[one["item_id"]] >= core
        ]
        if len(smaller) == len(left):
            break
        left = smaller
    dropped["of users or items with too few"] = before - len(left)
    found = {}
    for user, one in left:
        found.setdefault(user, []).append(one)
    return found, {reason: count for reason, count in dropped.items() if count}


def random_rows(seed, numbers):
    rng = np.random.default_rng(seed)
    words = ["", "1", "01", "1.0", " 1", "10", "9", "2", "a", "A", "ä", "B", "b c", "NaN", "null"]
    ids = ["", *map(str, range(14))] if numbers else words

    def some(count):
        return [ids[one] for one in np.minimum(rng.geometric(0.15, size=count), len(ids)) - 1]

    count = 400
    days = rng.integers(30, size=count)
    return [
        {
            "user_id": user,
            "item_id": item,
            "timestamp": "" if rng.random() < 0.02 else str(FIRST + DAY * day),
            "rating": "" if rng.random() < 0.1 else str(rng.integers(11) / 2),
            "provider": ["", "acme", "Best", "10", "9"][rng.integers(5)],
        }
        for user, item, day in zip(some(count), some(count), days, strict=True)
    ]


CASES = [
    {},
    {"repeats": "first", "core": 3},
    {"repeats": "last", "since": FIRST + 5 * DAY},
    {"repeats": "drop-consecutive", "until": FIRST + 20 * DAY, "min_rating": 2.5},
    {"since": FIRST + 2 * DAY, "until": FIRST + 29 * DAY, "min_rating": 1, "core": 4},
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_files_in_the_order_given_agree_with_a_slow_preparation(
    case, tmp_path, write_csv, contents
):
    rows = random_rows(case, numbers=case % 2)
    options = dict(CASES[case])
    core = options.pop("core", 0)
    # Where times are equal, the order of files and rows counts.
    cuts = [0, 150, 170, 400]
    names = [tmp_path / name for name in ("z.csv", "a.csv", "m.csv")]
    for path, start, end in zip(names, cuts, cuts[1:], strict=False):
        write_csv(path, rows[start:end])
    moments = {name: value for name, value in options.items() if name in ("since", "until")}
    texts = {
        name: datetime.datetime.fromtimestamp(value, datetime.UTC).isoformat()
        for name, value in moments.items()
    }
    selection = Selection(**{**options, **texts}, min_user_count=core, min_item_count=core)
    made = prepare(names, selection=selection)
    seconds = {name: value * SECOND for name, value in moments.items()}
    expected, dropped = slow_prepare(rows, **{**options, **seconds}, core=core)
    found = {
        user: [{name: one[name] for name in ("item_id", "timestamp", "provider")} for one in known]
        for user, known in contents(made.log).items()
    }
    assert found == expected
    assert list(found) == list(expected)
    assert made.dropped == dropped
    assert made.rows_read == 400
    items = {one["item_id"] for known in expected.values() for one in known}
    assert made.log.items.ids.tolist() == natural(items)
    assert made.log.providers.vocabulary.ids.tolist() == natural({"acme", "Best", "10", "9"})


def test_ratings_are_kept_where_they_are_asked_for(tmp_path, write_csv, contents):
    rows = random_rows(9, numbers=True)
    path = write_csv(tmp_path / "log.csv", rows)
    assert load_interactions(path).ratings is None
    log = load_interactions(path, rating_column="rating", provider_column="none")
    for user, known in contents(log).items():
        of_user = [r for r in rows if (r["user_id"], r["item_id"] != "") == (user, True)]
        of_user = sorted((r for r in of_user if r["timestamp"]), key=lambda r: int(r["timestamp"]))
        assert [one["rating"] for one in known] == [
            float(row["rating"]) if row["rating"] else None for row in of_user
        ]


# ---------------------------------------------------------------------------------------------
# Times.


def times_of(texts):
    frame = pd.DataFrame({"user_id": "u", "item_id": range(len(texts)), "timestamp": texts})
    log = load_interactions(frame.astype(str))
    by_item = dict(zip(log.items.decode(log.item_ids).tolist(), log.times.tolist(), strict=True))
    return [by_item[str(item)] for item in range(len(texts))]


def test_dates_are_read_as_by_python():
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(300):
        seconds = int(rng.integers(-(10**10), 10**11))
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        clock = ["", "%H:%M", "%H:%M:%S"][rng.integers(3)]
        text = moment.strftime(f"%Y-%m-%d{'T '[rng.integers(2)] if clock else ''}{clock}")
        text = text.rjust(len(text) + 4 - text.index("-"), "0")
        if clock.endswith("S") and rng.random() < 0.5:
            text += f".{rng.integers(10**6):06d}"[: rng.integers(2, 8)]
        if clock:
            text += ["", "Z", "+05:30", "-0800", "+01"][rng.integers(5)]
        texts.append(text)
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    expected = []
    for text in texts:
        moment = datetime.datetime.fromisoformat(pad_fraction(text))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        expected.append((moment - start) // datetime.timedelta(microseconds=1))
    assert times_of(texts) == expected


def pad_fraction(text):
    """Python wants three or six digits of a second."""
    return re.sub(r"\.\d+", lambda found: found[0].ljust(7, "0"), text)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1500000000", "0", "-5"], [1_500_000_000 * SECOND, 0, -5 * SECOND]),
        (["1500000000.25", "1.5e9"], [1_500_000_000_250_000, 1_500_000_000 * SECOND]),
        (["1500000000123"], [1_500_000_000_123_000]),
        (["1500000000123456"], [1_500_000_000_123_456]),
        (["1500000000123456789"], [1_500_000_000_123_457]),
        (["1", "2"], [SECOND, 2 * SECOND]),
    ],
    ids=["seconds", "fractions", "milliseconds", "microseconds", "nanoseconds", "small"],
)
def test_numbers_count_the_unit_that_makes_them_dates(texts, expected):
    assert times_of(texts) == expected


def test_a_unit_can_be_named_and_a_mixture_is_refused(tmp_path, write_csv):
    rows = [
        {"user_id": "u", "item_id": "a", "timestamp": "1500000000000"},
        {"user_id": "u", "item_id": "b", "timestamp": "1500000000"},
    ]
    path = write_csv(tmp_path / "log.csv", rows)
    with pytest.raises(
        UserError,
        match=r"log\.csv, row 2, column 'timestamp': 1500000000 can't count milliseconds as "
        r"1500000000000 does\. Name the unit with --time-unit",
    ):
        load_interactions(path)
    log = load_interactions(path, time_unit="milliseconds")
    assert log.times.tolist() == [1_500_000_000_000, 1_500_000_000_000_000]
    with pytest.raises(UserError, match="too large to count seconds"):
        load_interactions(
            pd.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": [10**13]}),
            time_unit="seconds",
        )


# ---------------------------------------------------------------------------------------------
# Tables with types.


def test_ids_of_any_type_are_text():
    """Whole numbers of a column of decimals, which a hole makes of them, have no point."""
    table = pa.table(
        {
            "user_id": pa.array([2**63 + 1, 5, 5, None], pa.uint64()),
            "item_id": [10.0, 9.0, float("nan"), 0.5],
            "timestamp": pa.array([1, 2, 3, 4], pa.timestamp("s")),
            "provider": pa.array(["x", None, "x", "x"]).dictionary_encode(),
        }
    )
    log = load_interactions(table)
    assert log.users.tolist() == ["5", str(2**63 + 1)]
    assert log.items.ids.tolist() == ["9", "10"]
    assert log.own_provider_ids.tolist() == [1, 3]
    assert log.times.tolist() == [2 * SECOND, SECOND]


@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "dictionary"])
def test_decimals_without_a_fraction_are_exact(encoded):
    """Databases give ids as DECIMAL(38, 0), and float64 tells them apart up to 2**53 only."""
    users, items = [2**53 + 1, 2**53, None, 7], [10**37 + 1, 10**37, 5, 10**37]
    times = [1_500_000_000 + second for second in range(4)]

    def column(values):
        array = pa.array(
            [None if one is None else Decimal(one) for one in values], pa.decimal128(38, 0)
        )
        return array.dictionary_encode() if encoded else array

    columns = {"user_id": users, "item_id": items, "timestamp": times, "rating": [1, 2, 3, 4]}
    table = pa.table({name: column(values) for name, values in columns.items()})
    log = load_interactions(table, rating_column="rating", min_rating=1)
    assert log.users.tolist() == ["7", str(2**53), str(2**53 + 1)]
    assert log.items.ids.tolist() == [str(10**37), str(10**37 + 1)]
    assert log.times.tolist() == [times[3] * SECOND, times[1] * SECOND, times[0] * SECOND]
    assert log.ratings.tolist() == [4, 2, 1]


def test_columns_that_hold_no_ids_or_times_are_refused():
    table = pa.table({"user_id": [[1]], "item_id": ["a"], "timestamp": [1]})
    with pytest.raises(UserError, match=r"Column 'user_id' of the table can't be a user\."):
        load_interactions(table)


def test_nothing_left_says_why():
    frame = pd.DataFrame({"user_id": ["a", None], "item_id": ["b", "c"], "timestamp": [1, 2]})
    with pytest.raises(
        UserError,
        match=r"No row of the table is left: 1 before --since, 1 without a user\.",
    ):
        load_interactions(frame, since="2020-01-01")


# ---------------------------------------------------------------------------------------------
# Real data.


def test_movielens_core_agrees_with_a_plain_reader(shared):
    with (shared / "data" / "ml-100k" / "ml-100k.inter").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    pairs = [(user, item) for user, item, *_ in rows]
    while True:
        users, items = Counter(u for u, _ in pairs), Counter(i for _, i in pairs)
        left = [(u, i) for u, i in pairs if users[u] >= 5 and items[i] >= 5]
        if len(left) == len(pairs):
            break
        pairs = left
    log = load_interactions(
        shared / "data" / "ml-100k" / "ml-100k.inter", min_user_count=5, min_item_count=5
    )
    assert (log.num_users, log.num_items, log.num_actions) == (
        *(len(users), len(items)),
        len(pairs),
    )
    assert log.num_items < 1682


@pytest.mark.parametrize("name", ["Beauty", "Sports_and_Outdoors", "Toys_and_Games", "Yelp"])
def test_a_sequence_file_survives_as_a_table(name, shared, tmp_path):
    """A row per interaction in any order, with its place in the sequence as the time."""
    log = load_interactions(shared / "data" / "sequences" / f"{name}.txt")
    places = np.arange(log.num_actions) - np.repeat(log.offsets[:-1], log.lengths)
    frame = pd.DataFrame(
        {
            "user_id": np.repeat(log.users, log.lengths),
            "item_id": log.items.decode(log.item_ids),
            "timestamp": places,
        }
    )
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "log.csv", index=False)
    again = load_interactions(tmp_path / "log.csv")
    np.testing.assert_array_equal(again.item_ids, log.item_ids)
    np.testing.assert_array_equal(again.offsets, log.offsets)
    assert again.users.tolist() == log.users.tolist()
    assert again.items.ids.tolist() == log.items.ids.tolist()
    np.testing.assert_array_equal(again.times, places * SECOND)
