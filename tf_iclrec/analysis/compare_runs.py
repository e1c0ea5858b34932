"""Two runs on the same data, user by user."""

from typing import NamedTuple

import numpy as np

from tf_iclrec.data.splits.split import HeldOutPart, Split
from tf_iclrec.errors import UserError
from tf_iclrec.evaluation.significance import holm_correction, paired_t_test
from tf_iclrec.evaluation.user_values import LIST_LENGTH, UserValues, evaluate_users
from tf_iclrec.models.item_facts import item_facts
from tf_iclrec.runs import Run


class ComparedMetric(NamedTuple):
    """A metric of two runs.

    Attributes:
        first: Of the one.
        second: Of the other.
        difference: First minus second; of metrics of lists, over the users who have both.
        p_value: Of Student's paired t-test over users; None for metrics that users don't have each
            for themselves, such as coverage, and where fewer than two users have both.
        p_value_holm: The same, corrected for all the tests of the comparison.
    """

    first: float
    second: float
    difference: float
    p_value: float | None = None
    p_value_holm: float | None = None


def compare_runs(
    first: Run, second: Run, part: HeldOutPart = "test", k: int = LIST_LENGTH
) -> dict[str, ComparedMetric]:
    """Evaluate two runs in the same way, and test their differences.

    Both are evaluated under the settings of the first, whose item vectors and intents also say how
    diverse and calibrated the lists of both are.

    Args:
        first: A finished run.
        second: Another one, on the same data.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists.

    Returns:
        By the name of the metric.

    Raises:
        UserError: If their users, items or held-out items differ.

    Example: a ranking and its reverse: they differ, but three users prove nothing.
    >>> from tf_iclrec import Interactions, PopularityRecommender, leave_one_out, make_config
    >>> log = Interactions.from_sequences({
    ...     "ann": ["tea", "jam", "oil"], "bob": ["oil", "rye", "tea"],
    ...     "eve": ["oil", "jam", "tea"]})
    >>> split, config = leave_one_out(log), make_config("transitions")
    >>> models = PopularityRecommender([1, 2, 3, 4]), PopularityRecommender([4, 3, 2, 1])
    >>> found = compare_runs(*(Run(model, split, config, {}) for model in models))["MRR@5"]
    >>> [round(value, 3) for value in (found.first, found.second, found.difference, found.p_value)]
    [0.833, 0.667, 0.167, 0.667]
    """
    check_comparable(first.split, second.split, part)
    facts, settings = item_facts(first.model, first.split), first.config.evaluation
    one, other = (
        evaluate_users(run.model, run.split, facts, part, k, **settings) for run in (first, second)
    )
    everyone = np.ones(len(one.rows), dtype=bool)
    means, others = one.of_group(everyone), other.of_group(everyone)
    compared = {
        name: ComparedMetric(means[name], others[name], means[name] - others[name])
        for name in means
        if name in others and name != "users"
    }
    for name, metric in compared.items():
        if name in one.of_ranks or name in one.of_lists:
            compared[name] = _tested(one, other, name, metric)
    tested = [name for name, metric in compared.items() if metric.p_value is not None]
    corrected = holm_correction([compared[name].p_value for name in tested])
    for name, p_value in zip(tested, corrected, strict=True):
        compared[name] = compared[name]._replace(p_value_holm=p_value)
    return compared


def check_comparable(first: Split, second: Split, part: HeldOutPart) -> None:
    """Refuse to compare user by user what was asked for other items, or of other users.

    Raises:
        UserError: If users, items or held-out items of the two splits differ.
    """
    held_out = first.held_out(part), second.held_out(part)
    pairs = {
        "users": (first.interactions.users, second.interactions.users),
        "items": (first.interactions.items.ids, second.interactions.items.ids),
        f"{part} targets": tuple(
            np.stack([one.users, one.target_ids, one.histories.lengths]) for one in held_out
        ),
    }
    for what, (one, other) in pairs.items():
        if not np.array_equal(one, other):
            raise UserError(
                f"The runs can't be compared: their {what} are not the same. Both must be trained "
                "on the same data, split in the same way."
            )


def _tested(
    one: UserValues, other: UserValues, name: str, metric: ComparedMetric
) -> ComparedMetric:
    values = [{**found.of_ranks, **found.of_lists}[name] for found in (one, other)]
    both = ~np.isnan(values).any(axis=0)
    if both.sum() < 2:
        return metric
    test = paired_t_test(values[0][both], values[1][both], one.users[both])
    return metric._replace(difference=test.difference, p_value=test.p_value)
