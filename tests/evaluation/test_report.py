import re

from tf_iclrec.evaluation.report import metrics_table

NAMES = ["HR@5", "HR@10", "NDCG@5", "NDCG@10", "NDCG@100", "MRR@5", "MRR@100"]


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
