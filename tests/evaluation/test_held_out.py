import re

import pytest
import tensorflow as tf

from tf_iclrec import Interactions, UserError, leave_one_out
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.splits.everything import everything
from tf_iclrec.evaluation.held_out import evaluate_held_out, held_out_answers, held_out_ranks
from tf_iclrec.evaluation.ranking import NEVER_FOUND
from tf_iclrec.evaluation.tables import groups_table, metrics_table

NAMES = ["HR@5", "HR@10", "NDCG@5", "NDCG@10", "NDCG@100", "MRR@5", "MRR@100"]


LOG = Interactions.from_sequences({"ann": "abcdebf", "bob": "edcba", "cat": "fffaf"})
SPLIT = leave_one_out(LOG)


class Recency:
    """Scores the items of the input, the latest highest, and all others zero."""

    def __init__(self, max_length=50, num_items=LOG.num_items):
        self.max_length = max_length
        self.num_items = num_items

    def __call__(self, batch):
        ids = batch["item_ids"]
        places = tf.range(1, tf.shape(ids)[1] + 1, dtype=tf.int32)
        one_hot = tf.one_hot(ids - 3, self.num_items, dtype=tf.int32)
        return tf.cast(tf.reduce_max(one_hot * places[:, tf.newaxis], axis=1), tf.float32)


@pytest.mark.parametrize(
    ("part", "filter_seen", "max_length", "expected"),
    [
        # Inputs abcdeb, edcb and fffa; targets f, a and f.
        ("test", False, 50, [6, 6, 2]),
        ("test", False, 1, [6, 6, 6]),
        ("test", True, 50, [1, 2, NEVER_FOUND]),
        # Inputs abcde, edc and fff; targets b, b and a.
        ("valid", False, 50, [4, 6, 6]),
        ("valid", False, 3, [6, 6, 6]),
        ("valid", True, 50, [NEVER_FOUND, 3, 5]),
    ],
)
def test_held_out_ranks_by_hand(part, filter_seen, max_length, expected):
    ranks = held_out_ranks(Recency(max_length), SPLIT, part, filter_seen=filter_seen)
    assert ranks.tolist() == expected


def test_a_model_without_a_longest_history_sees_all_of_it():
    ranks = held_out_ranks(Recency(None), SPLIT, "valid", filter_seen=False)
    assert ranks.tolist() == [4, 6, 6]
    between = [f"{place:02}" for place in range(53)]
    split = leave_one_out(Interactions.from_sequences({"ann": ["a", *between, "a", "b"]}))
    ranks = held_out_ranks(Recency(None, num_items=55), split, "valid", filter_seen=False)
    assert ranks.tolist() == [54]


def test_a_function_that_says_nothing_of_lengths_sees_all_of_it():
    recency = Recency(None)
    ranks = held_out_ranks(lambda batch: recency(batch), SPLIT, "valid", filter_seen=False)
    assert ranks.tolist() == [4, 6, 6]


def test_scores_of_other_items_are_refused():
    with pytest.raises(ValueError, match=r"^The scores have .* \(None, 5\), and \(batch, 6\) is"):
        held_out_ranks(Recency(num_items=5), SPLIT, "valid")


def test_ranks_of_a_sample_are_those_of_its_users():
    everyone = held_out_ranks(Recency(), SPLIT, "test")
    users = sampled_rows(LOG.num_users, 2)
    some = held_out_ranks(Recency(), SPLIT, "test", evaluation_users=2)
    assert some.tolist() == everyone[users].tolist()


def test_lists_are_of_the_same_users_as_the_ranks():
    # Inputs abcdeb, edcb and fffa; the latest first, then by number.
    ranks, lists = held_out_answers(Recency(), SPLIT, "test", k=3, filter_seen=False)
    assert ranks.tolist() == [6, 6, 2]
    named = [LOG.items.decode(row[row > 2]).tolist() for row in lists]
    assert named == [["b", "e", "d"], ["b", "c", "d"], ["a", "f", "b"]]
    _, lists = held_out_answers(Recency(), SPLIT, "test", k=3)
    named = [LOG.items.decode(row[row > 2]).tolist() for row in lists]
    assert named == [["f"], ["a", "f"], ["b", "c", "d"]]


def test_held_out_parts_have_the_metrics_of_their_ranks():
    metrics = evaluate_held_out(Recency(), SPLIT, filter_seen=True)
    assert list(metrics) == ["valid", "test"]
    assert metrics["valid"]["HR@5"] == pytest.approx(2 / 3)
    assert metrics["valid"]["MRR@5"] == pytest.approx((1 / 3 + 1 / 5) / 3)
    assert metrics["test"]["MRR@20"] == pytest.approx((1 + 1 / 2) / 3)


def test_only_the_parts_that_are_named_are_evaluated():
    both = evaluate_held_out(Recency(), SPLIT)
    assert evaluate_held_out(Recency(), SPLIT, ("test",)) == {"test": both["test"]}


def test_has_a_row_per_model_with_four_decimals():
    rows = {"sasrec": {"HR@5": 0.05, "NDCG@20": 0.04834}, "popularity": {"HR@5": 1, "NDCG@20": 0}}
    lines = [line.split() for line in metrics_table(rows).splitlines()]
    assert lines == [
        ["HR@5", "NDCG@20"],
        ["sasrec", "0.0500", "0.0483"],
        ["popularity", "1.0000", "0.0000"],
    ]


def test_shows_what_is_asked_for_and_a_hyphen_where_there_is_nothing():
    rows = {"one": {"HR@5": 0.5, "Novelty@20": 9.5}, "other": {"HR@5": 0.5, "Coverage@20": 0.25}}
    lines = metrics_table(rows, ["Novelty@20", "Coverage@20"]).splitlines()
    assert [line.split() for line in lines] == [
        ["Novelty@20", "Coverage@20"],
        ["one", "9.5000", "-"],
        ["other", "-", "0.2500"],
    ]


def test_groups_are_columns():
    columns = {"all": {"users": 30, "HR@5": 0.5, "Gini@5": 1}, "1 to 4": {"users": 2, "HR@5": 0.25}}
    lines = groups_table(columns).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["users", "30", "2"],
        ["HR@5", "0.5000", "0.2500"],
        ["Gini@5", "1.0000", "-"],
    ]
    assert lines[0].index("1 to 4") == lines[1].index(" 2") + 1


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


def test_nothing_is_held_out():
    with pytest.raises(UserError, match=r"Nothing is held out \(test\)"):
        held_out_ranks(Recency(), everything(LOG), "test")
