"""What there is to say of a finished run's accuracy: for groups of users, and under noise."""

from collections.abc import Mapping, Sequence
from typing import Any

from tf_iclrec.data.splits.split import HeldOutPart
from tf_iclrec.evaluation.full_report import full_report
from tf_iclrec.evaluation.groups import GROUPINGS, Grouping
from tf_iclrec.evaluation.noise import NoisyHistories, drops
from tf_iclrec.evaluation.user_values import LIST_LENGTH
from tf_iclrec.models.item_facts import item_facts
from tf_iclrec.runs import Run


def evaluate_run(
    run: Run,
    part: HeldOutPart = "test",
    k: int = LIST_LENGTH,
    groupings: Mapping[str, Grouping] = GROUPINGS,
    noise: Sequence[float] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Evaluate a finished run under its own settings.

    Args:
        run: The run.
        part: ``"valid"`` or ``"test"``.
        k: Length of the lists.
        groupings: Ways to group users.
        noise: Shares of noise: items that the user never had, added to the history in relation to
            its length (ICLRec Sec. 5.3); see `tf_iclrec.evaluation.noise.NoisyHistories`.
        seed: Of the noise.

    Returns:
        What `tf_iclrec.evaluation.full_report.full_report` says. With ``noise`` also ``"noise"``:
        by share, such as ``"0.05"``, the same under noise, and ``"drop"``: by how many percent
        each metric of ranks is lower than without.

    Raises:
        ValueError: If a share of noise is not above 0 and at most 1.

    Example: two users; the item of one, jam, is not in the training data.
    >>> from tf_iclrec import Interactions, PopularityRecommender, leave_one_out, load_run
    >>> from tf_iclrec import make_config
    >>> log = Interactions.from_sequences({
    ...     "ann": ["tea", "jam", "oil"], "bob": ["oil", "rye", "jam"]})
    >>> model = PopularityRecommender([1, 2, 3, 4])  # Of jam, oil, rye and tea.
    >>> report = evaluate_run(Run(model, leave_one_out(log), make_config("transitions"), {}))
    >>> report["test"]["MRR@5"]  # Second to rye, and to tea.
    0.5
    >>> {name: one["users"] for name, one in report["groups"]["popularity"].items()}
    {'0': 1, '1 and more': 1}
    >>> report = evaluate_run(load_run("runs/mine"), noise=(0.05, 0.1))  # doctest: +SKIP
    >>> report["noise"]["0.05"]["drop"]["NDCG@20"]  # doctest: +SKIP
    3.2
    """
    if not all(0 < share <= 1 for share in noise):
        raise ValueError(f"Shares of noise are above 0 and at most 1, not {list(noise)}.")
    facts = item_facts(run.model, run.split)

    def report(model: Any) -> dict[str, Any]:
        return full_report(model, run.split, facts, part, k, groupings, **run.config.evaluation)

    found = report(run.model)
    if noise:
        under_noise = {
            f"{share:g}": report(NoisyHistories(run.model, run.split, part, share, seed))
            for share in noise
        }
        found["noise"] = {
            share: one | {"drop": drops(found[part], one[part])}
            for share, one in under_noise.items()
        }
    return found
