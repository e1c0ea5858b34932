"""A few of the requests that `make faults` sends."""

from ..faults.hostile_answers import hostile_to, through_c


def test_hostile_requests_get_errors_or_answers_and_good_ones_after_them_are_answered(
    c_program, served
):
    found = through_c(c_program, served, hostile_to(served, 20))
    assert [problem for _, problems in found.values() for problem in problems] == []
    answers = [answer for answers, _ in found.values() for answer in answers]
    refused = sum(isinstance(answer, str) for answer in answers)
    assert 0 < refused < len(answers)
