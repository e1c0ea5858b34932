import dataclasses

import numpy as np
import pytest

from tf_iclrec import (
    Interactions,
    PopularityRecommender,
    Run,
    UserError,
    by_time,
    holm_correction,
    leave_one_out,
    make_config,
    paired_t_test,
)
from tf_iclrec.analysis.compare_runs import compare_runs
from tf_iclrec.evaluation.held_out import held_out_answers, held_out_ranks
from tf_iclrec.evaluation.metrics import gains_of_ranks
from tf_iclrec.models.transitions import TransitionRecommender

from ..timed_logs import timed_planted_intents


def log_of(seed=0, users=50):
    """Walks of steps that repeat, so that counting what follows what is of use."""
    rng = np.random.default_rng(seed)
    walks = (rng.integers(30) + rng.choice([1, 1, 1, 7], 12).cumsum() for _ in range(users))
    return Interactions.from_sequences(
        {f"u{user}": [f"i{item % 30}" for item in walk] for user, walk in enumerate(walks)}
    )


def run_of(kind, log=None):
    split = leave_one_out(log_of() if log is None else log)
    model = kind.for_catalogue(split.catalogue)
    model.fit_histories(split.train)
    return Run(model, split, make_config("transitions"), {})


@pytest.fixture(scope="module")
def runs():
    return run_of(TransitionRecommender), run_of(PopularityRecommender)


@pytest.fixture(scope="module")
def compared(runs):
    return compare_runs(*runs, k=5)


def test_each_metric_is_tested_over_users(runs, compared):
    answers = [held_out_answers(run.model, run.split, "test", 5) for run in runs]
    gains = [gains_of_ranks(ranks) for ranks, _ in answers]
    for name in gains[0]:
        expected = paired_t_test(gains[0][name], gains[1][name])
        assert compared[name][:2] == pytest.approx([gain[name].mean() for gain in gains])
        assert compared[name].difference == pytest.approx(expected.difference)
        assert compared[name].p_value == pytest.approx(expected.p_value)
    assert compared["HR@5"].difference > 0
    assert compared["HR@5"].p_value < 0.01


def test_lists_are_compared_too(runs, compared):
    lists = [held_out_answers(run.model, run.split, "test", 5)[1] for run in runs]
    covered = [len(np.unique(one[one > 0])) / 30 for one in lists]
    assert compared["Coverage@5"] == pytest.approx((*covered, covered[0] - covered[1], None, None))
    counts = runs[0].split.training_counts
    bits = [-np.log2(counts / counts.sum())[one - 3].mean(axis=1) for one in lists]
    assert compared["Novelty@5"].p_value == pytest.approx(paired_t_test(*bits).p_value)
    assert "users" not in compared


def test_a_run_does_not_differ_from_itself(runs):
    for metric in compare_runs(runs[0], runs[0], "valid").values():
        assert (metric.difference, metric.p_value or 1.0) == (0.0, 1.0)


def test_both_are_evaluated_in_the_way_of_the_first(runs):
    kept = make_config("transitions", filter_seen=False)
    other = dataclasses.replace(runs[1], config=kept)
    assert compare_runs(runs[0], other, k=5) == compare_runs(*runs, k=5)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (log_of(users=51), "users"),
        (Interactions.from_sequences({f"u{user}": "abcabc" for user in range(50)}), "items"),
        (log_of(seed=1), "test targets"),
    ],
)
def test_runs_on_other_data_are_refused(runs, other, what):
    with pytest.raises(UserError, match=rf"can't be compared: their {what} are not the same\. "):
        compare_runs(runs[0], run_of(PopularityRecommender, other))


def test_another_split_of_the_same_log_is_refused(runs):
    log = log_of()
    split = leave_one_out(log)
    shorter = dataclasses.replace(split, test=split.valid)
    with pytest.raises(UserError, match="their test targets are not the same"):
        compare_runs(runs[0], dataclasses.replace(runs[1], split=shorter))


def test_targets_of_one_user_count_as_one_user():
    split = by_time(timed_planted_intents(num_users=30, num_items=15, num_intents=3), targets="all")
    runs = []
    for kind in (TransitionRecommender, PopularityRecommender):
        model = kind.for_catalogue(split.catalogue)
        model.fit_histories(split.train)
        runs.append(Run(model, split, make_config("transitions"), {}))
    first, second = (
        gains_of_ranks(held_out_ranks(run.model, split, "test"))["NDCG@20"] for run in runs
    )
    p_value = compare_runs(*runs)["NDCG@20"].p_value
    assert p_value == pytest.approx(paired_t_test(first, second, split.test.users).p_value)
    assert p_value != pytest.approx(paired_t_test(first, second).p_value)


def test_p_values_are_corrected_for_all_that_is_tested(compared):
    tested = [metric for metric in compared.values() if metric.p_value is not None]
    expected = holm_correction([metric.p_value for metric in tested])
    assert [metric.p_value_holm for metric in tested] == expected
    assert len(tested) > 9
    assert compared["Coverage@5"].p_value_holm is None
