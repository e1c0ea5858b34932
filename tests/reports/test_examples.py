"""The section of a run's page with some users: `tests/browser` looks at how it looks."""

import datetime

import pytest

from tf_iclrec import PopularityRecommender, leave_one_out, make_config
from tf_iclrec.data.synthetic import planted_intents
from tf_iclrec.reports.run_sections.examples import examples_section
from tf_iclrec.reports.run_sections.reported_run import ReportedRun
from tf_iclrec.runs import Run


@pytest.mark.parametrize("evaluation_users", [1, 100])
def test_there_are_ten_users_however_few_are_evaluated(evaluation_users):
    log, _ = planted_intents(num_users=30, num_items=20, num_intents=2)
    split = leave_one_out(log)
    config = make_config(evaluation_users=evaluation_users)
    run = Run(PopularityRecommender.from_training_data(split), split, config, {})
    section = examples_section(ReportedRun("shop", run, {}, datetime.date(2026, 1, 1)))
    assert section.count("<details") == 10
    assert "10 users of the test, chosen by nothing but the length" in section
