import re

import pytest
import tensorflow as tf

from tf_iclrec import Interactions, make_config
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.evaluation.report import evaluate_splits, metrics_table, ranks_in_split

NAMES = ["HR@5", "HR@10", "NDCG@5", "NDCG@10", "NDCG@100", "MRR@5", "MRR@100"]


LOG = Interactions.from_sequences({"ann": "abcdebf", "bob": "edcba", "cat": "fffaf"})


def recency(batch):
    """Scores the items of the input, the latest highest, and all others zero."""
    ids = batch["item_ids"]
    places = tf.range(1, tf.shape(ids)[1] + 1, dtype=tf.int32)
    one_hot = tf.one_hot(ids - 3, LOG.num_items, dtype=tf.int32)
    return tf.cast(tf.reduce_max(one_hot * places[:, tf.newaxis], axis=1), tf.float32)


@pytest.mark.parametrize(
    ("split", "settings", "expected"),
    [
        # Inputs abcdeb, edcb and fffa; targets f, a and f.
        ("test", {"filter_seen": False}, [6, 6, 2]),
        ("test", {"filter_seen": False, "max_length": 1}, [6, 6, 6]),
        ("test", {"filter_seen": True}, [1, 2, 6]),
        # Inputs abcde, edc and fff; targets b, b and a.
        ("valid", {"filter_seen": False}, [4, 6, 6]),
        ("valid", {"filter_seen": False, "max_length": 3}, [6, 6, 6]),
        ("valid", {"filter_seen": True}, [6, 3, 5]),
    ],
)
def test_ranks_in_a_split_by_hand(split, settings, expected):
    assert ranks_in_split(recency, LOG, make_config(**settings), split).tolist() == expected


def test_ranks_of_a_sample_are_those_of_its_users():
    settings = {"filter_seen": True}
    everyone = ranks_in_split(recency, LOG, make_config(**settings), "test")
    users = sampled_rows(LOG.num_users, 2)
    some = ranks_in_split(recency, LOG, make_config(**settings, evaluation_users=2), "test")
    assert some.tolist() == everyone[users].tolist()


def test_splits_have_the_metrics_of_their_ranks():
    metrics = evaluate_splits(recency, LOG, make_config(filter_seen=True))
    assert list(metrics) == ["valid", "test"]
    assert metrics["valid"]["HR@5"] == pytest.approx(2 / 3)
    assert metrics["valid"]["MRR@5"] == pytest.approx((1 / 3 + 1 / 5) / 3)
    assert metrics["test"]["MRR@20"] == pytest.approx((1 + 1 / 2 + 1 / 6) / 3)


def test_has_a_row_per_model_with_four_decimals():
    rows = {"sasrec": {"HR@5": 0.05, "NDCG@20": 0.04834}, "popularity": {"HR@5": 1, "NDCG@20": 0}}
    lines = [line.split() for line in metrics_table(rows).splitlines()]
    assert lines == [
        ["HR@5", "NDCG@20"],
        ["sasrec", "0.0500", "0.0483"],
        ["popularity", "1.0000", "0.0000"],
    ]


def test_orders_by_metric_and_then_by_cutoff():
    header = metrics_table({"model": dict.fromkeys(reversed(NAMES), 0.5)}).splitlines()[0]
    assert header.split() == NAMES


def test_each_value_begins_under_the_name_of_its_metric():
    rows = {"iclrec": dict.fromkeys(NAMES, 0.5), "popularity": dict.fromkeys(NAMES, 0.25)}
    header, *lines = metrics_table(rows).splitlines()
    columns = [match.start() for match in re.finditer(r"\S+", header)]
    for line in lines:
        assert [match.start() for match in re.finditer(r"\S+", line)][1:] == columns


def test_no_line_ends_in_blanks():
    table = metrics_table({"model": {"HR@5": 0.5}})
    assert all(line == line.rstrip() for line in table.splitlines())
