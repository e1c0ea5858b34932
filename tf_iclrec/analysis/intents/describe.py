"""From a finished run to what its intents are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tf_iclrec.analysis.intents.assignment import Assignment, encoded
from tf_iclrec.analysis.intents.comparison import Comparison
from tf_iclrec.analysis.intents.descriptions import descriptions
from tf_iclrec.analysis.intents.intent_description import IntentDescription
from tf_iclrec.analysis.intents.intent_report import IntentReport
from tf_iclrec.analysis.intents.moves import moves_of
from tf_iclrec.analysis.intents.plane import principal_plane
from tf_iclrec.analysis.intents.same_data import check_same_data
from tf_iclrec.data.batches import sampled_rows
from tf_iclrec.data.vocabulary import NUM_SPECIAL_IDS, Vocabulary
from tf_iclrec.errors import UserError
from tf_iclrec.runs import Run, load_run

if TYPE_CHECKING:
    import pyarrow as pa


def describe_intents(
    run: Run | str | Path,
    compare: Run | str | Path | None = None,
    *,
    values: Sequence[str] | None = None,
    top: int = 10,
    examples: int = 5,
    neighbours: int = 3,
    significance: float = 0.05,
    map_users: int = 3000,
    most_users: int | None = None,
) -> IntentReport:
    """What the intents of a run are: who has them, what is typical of them, how users move.

    A user's intent is the centroid nearest to the mean hidden state of the user's whole history in
    the training part, among the model's first number of intents. The affinity to an intent is that
    of `IntentPrototypes.affinities`: ``1 / (1 + distance²)``, in relation to the sum over all.

    Args:
        run: A run, or its directory, of which the served model is read then.
        compare: An earlier run on the same users, to say what stayed.
        values: Names of attributes and labels to describe intents by, and ``"provider"``. Defaults
            to all that are known.
        top: Typical items, and typical values, of an intent at most.
        examples: Users nearest to the centroid, of an intent.
        neighbours: Nearest other intents, of an intent.
        significance: The share of what is called typical that may be chance; see
            `tf_iclrec.analysis.intents.typical.lifts`.
        map_users: Users on the map at most, always the same ones.
        most_users: Users that are looked at at most, likewise. Defaults to all.

    Raises:
        UserError: If the run is not finished or has no intents, if a value is not known, or if the
            earlier run was trained on other data.

    Example:
    >>> report = describe_intents("runs/completejourney")  # doctest: +SKIP
    >>> report.intents[0].name, report.users.column_names  # doctest: +SKIP
    ('provider 1251', ['user_id', 'intent', 'affinity', 'affinities'])
    """
    run = with_intents(run)
    before = None if compare is None else with_intents(compare)
    names = _known(run, values)
    if before:
        check_same_data(before.split, run.split)
    assignment = Assignment.of_users(run.model, run.split, most_users)
    settings = {
        "top": top,
        "examples": examples,
        "neighbours": neighbours,
        "significance": significance,
    }
    rows = sampled_rows(len(assignment.users), map_users)
    shown = assignment.users[rows], assignment.histories.rows(rows)
    [vectors] = encoded(run.model, run.split, *shown)
    report = IntentReport(
        _descriptions(run, assignment, names, **settings),
        _user_table(run, assignment),
        principal_plane(vectors),
        assignment.intents[rows],
        moves_of(run.model, run.split, assignment),
    )
    if not before:
        return report
    known = [name for name in names if name in before.interactions.known_of_items]
    then = Assignment.of_users(before.model, before.split, most_users)
    return dataclasses.replace(
        report,
        comparison=_comparison(before, then, run, assignment),
        names_before=[one.name for one in _descriptions(before, then, known, **settings)],
    )


def with_intents(run: Run | str | Path) -> Run:
    """A run that has intents, read if it is a directory.

    Raises:
        UserError: If it is not finished, or has no intents.
    """
    where = ""
    if not isinstance(run, Run):
        where = f" in {run}"
        run = load_run(run, for_serving=True)
    if run.model.intents is None:
        raise UserError(
            f"The run{where} has no intents: its model, {run.config.model}, was trained without "
            "them. Train iclrec, or another model with --intent-weight."
        )
    if not run.model.found_intents:
        raise UserError(
            f"The run{where} has no intents yet: its training ended within --warm-up-epochs."
        )
    return run


def _known(run: Run, values: Sequence[str] | None) -> list[str]:
    for name in values or ():
        run.interactions.catalogue.check_known(name)
    return list(dict.fromkeys(run.interactions.known_of_items if values is None else values))


def _descriptions(
    run: Run, assignment: Assignment, names: Sequence[str], **settings
) -> list[IntentDescription]:
    centroids = run.model.intents.centroids[0].numpy()
    return descriptions(run.interactions, assignment, centroids, names, **settings)


def _user_table(run: Run, assignment: Assignment) -> pa.Table:
    import pyarrow as pa

    affinities = assignment.affinities
    return pa.table(
        {
            "user_id": pa.array(run.interactions.users[assignment.users].astype(str)),
            "intent": assignment.intents,
            "affinity": affinities.max(axis=1),
            "affinities": pa.FixedSizeListArray.from_arrays(
                pa.array(affinities.ravel()), assignment.num_intents
            ),
        }
    )


def _comparison(before: Run, then: Assignment, run: Run, now: Assignment) -> Comparison:
    """Of the users whom both runs were trained on."""
    known = Vocabulary(before.interactions.users[then.users])
    rows = known.encode(run.interactions.users[now.users]) - NUM_SPECIAL_IDS
    shared = rows >= 0
    return Comparison.of(
        then.intents[rows[shared]], now.intents[shared], then.num_intents, now.num_intents
    )
