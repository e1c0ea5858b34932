import pytest

from tf_iclrec import by_time
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.held_out import held_out_ranks
from tf_iclrec.evaluation.lists.item_facts import ItemFacts
from tf_iclrec.evaluation.metrics import gains_of_ranks
from tf_iclrec.evaluation.significance import confidence_interval
from tf_iclrec.models.popularity import PopularityRecommender

from ..timed_logs import timed_planted_intents


def test_intervals_count_a_user_with_several_targets_once():
    log = timed_planted_intents(num_users=20, num_items=15, num_intents=3)
    split = by_time(log, targets="all")
    model = PopularityRecommender.from_training_data(split)
    report = full_report(model, split, ItemFacts(split.training_counts, {}))
    gains = gains_of_ranks(held_out_ranks(model, split, "test"))["NDCG@20"]
    expected = confidence_interval(gains, split.test.users)
    assert report["intervals"]["NDCG@20"] == pytest.approx(expected)
    assert expected != pytest.approx(confidence_interval(gains))
