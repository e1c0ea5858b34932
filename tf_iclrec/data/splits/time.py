"""By time: trained on what was before a moment, validated and tested on what came after."""

from typing import Annotated, Literal

import numpy as np

from tf_iclrec.data.histories import Histories
from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.splits.split import HeldOut, Split, check_log
from tf_iclrec.data.times import format_time, parse_time
from tf_iclrec.errors import UserError
from tf_iclrec.settings import Setting

Targets = Literal["last", "first", "all"]
_WHICH = {
    "last": "each user's last item",
    "first": "each user's first item",
    "all": "each item after those before it",
}


def by_time(
    interactions: Interactions,
    at: Annotated[
        str,
        Setting(
            "date from which nothing is trained on, such as 2017-06-01, or the share of the "
            "interactions that are held out, the latest ones",
            after_colon=True,
        ),
    ] = "0.2",
    test_at: Annotated[
        str,
        Setting(
            "date, or share of the interactions, from which it is tested, not validated; "
            "otherwise the later half of what is held out",
            of_one_run=True,
        ),
    ] = "",
    until: Annotated[
        str,
        Setting("date from which interactions are left out, by --refit as well", of_one_run=True),
    ] = "",
    targets: Annotated[
        Targets,
        Setting(
            "which items of a user are asked for in validation, and in the test: the last or "
            "first of the time, or all"
        ),
    ] = "last",
) -> Split:
    """Train on the part of each user's sequence before a moment, the same for all users.

    So nothing is learnt of a time in which it is tested, as it is where a model is used; with
    leave-one-out a training sees what others did after a user's target. What came before a target
    in the user's own sequence is its history, also where it is after the cut. An interaction at the
    very moment of a cut is after it.

    Of the ways to choose targets, the last of each user ranks models most as all successive ones
    do, at the cost of one target a user (Gusak et al., Time to Split, RecSys 2025). A user's very
    first item is never a target: there is nothing to tell it from.

    Args:
        interactions: The log, with times.
        at: From when on it is validated: a date in UTC, or a share of the interactions.
        test_at: From when on it is tested.
        until: From when on nothing is read at all.
        targets: ``"last"``, ``"first"`` or ``"all"`` of a user's items in each of the two times.

    Raises:
        UserError: If the log has no times, a cut is no date or share, or a part is empty.

    Example:
    >>> times = np.array(["2017-01-01", "2017-05-01", "2017-07-01", "2017-02-01", "2017-06-01"])
    >>> users, items = np.array([0, 0, 0, 1, 1]), np.array(["tea", "jam", "oil", "jam", "oil"])
    >>> log = Interactions.from_columns(
    ...     users, ["ann", "bob"], items, times.astype("datetime64[us]").astype(np.int64))
    >>> split = by_time(log, "2017-06-01", test_at="2017-07-01")
    >>> split.train.lengths.tolist(), split.valid.users.tolist(), split.test.users.tolist()
    ([2, 1], [1], [0])
    """
    check_log(interactions)
    if targets not in _WHICH:
        raise UserError(f"targets must be one of {', '.join(_WHICH)}, not {targets}.")
    if interactions.times is None:
        raise UserError(
            "The log has no times, and a split by time needs them: take a table with a column of "
            "times (--time-column)."
        )
    if until:
        interactions = _until(interactions, until)
    times = np.asarray(interactions.times)
    first, last = times.min(), times.max()
    valid_from = _moment(times, at)
    if not first < valid_from <= last:
        raise UserError(
            f"Nothing is {'before' if valid_from <= first else 'after'} the cut at "
            f"{format_time(valid_from)}: the log is from {format_time(first)} to "
            f"{format_time(last)}."
        )
    held_out = times[times >= valid_from]
    test_from = _moment(times, test_at) if test_at else _moment(held_out, "0.5")
    if not valid_from < test_from <= last:
        raise UserError(
            f"The test can't begin at {format_time(test_from)}: it must be after the cut at "
            f"{format_time(valid_from)} and not after the log's end, {format_time(last)}."
        )
    starts, ends = interactions.offsets[:-1], interactions.offsets[1:]
    train_ends = _first_places_from(interactions, times, valid_from)
    valid_ends = _first_places_from(interactions, times, test_from)
    valid = _held_out(interactions, train_ends, valid_ends, targets)
    test = _held_out(interactions, valid_ends, ends, targets)
    for name, part in (("validation", valid), ("test", test)):
        if not len(part.users):
            raise UserError(
                f"There is no item for the {name}: nobody has one in its time with another before."
            )
    there = np.flatnonzero(ends > train_ends)
    not_asked = len(there) - len(np.union1d(valid.users, test.users))
    note = (
        f"{not_asked} of {len(there)} users after the cut have no item before their only one and "
        "are not asked for it."
    )
    return Split(
        interactions,
        train=Histories(interactions.item_ids, starts, train_ends),
        valid=valid,
        test=test,
        how=f"by time, trained before {format_time(valid_from)} (what is at that moment is held "
        f"out), tested from {format_time(test_from)}{f' until {until}' if until else ''}, "
        f"{_WHICH[targets]}",
        notes=(note,) * bool(not_asked),
    )


def _moment(times: np.ndarray, text: str) -> int:
    """A date, or the time of the first of the last share of the interactions."""
    try:
        share = float(text)
    except (TypeError, ValueError):
        return parse_time(text)
    if not 0 < share < 1:
        raise UserError(f"{text} is neither a date nor a share above 0 and below 1.")
    place = len(times) - max(1, round(share * len(times)))
    return int(np.partition(times, place)[place])


def _until(interactions: Interactions, until: str) -> Interactions:
    kept = np.asarray(interactions.times) < parse_time(until)
    if not kept.any():
        raise UserError(f"Nothing is before {until}, the end of the time to read.")
    return interactions if kept.all() else interactions.select(kept)


def _first_places_from(interactions: Interactions, times: np.ndarray, moment: int) -> np.ndarray:
    """Place in the flat array of each user's first interaction from a moment on, or the user's
    end, ``(users,)`` int64."""
    before = np.concatenate([[0], np.cumsum(times < moment)])
    starts, ends = interactions.offsets[:-1], interactions.offsets[1:]
    return starts + before[ends] - before[starts]


def _held_out(
    interactions: Interactions, begins: np.ndarray, ends: np.ndarray, targets: Targets
) -> HeldOut:
    """The targets among each user's places from ``begins`` to ``ends``, ``(users,)``."""
    starts = interactions.offsets[:-1]
    begins = np.maximum(begins, starts + 1)
    counts = np.maximum(ends - begins, 0)
    if targets != "all":
        counts = np.minimum(counts, 1)
    if targets == "last":
        begins = ends - counts
    users = np.repeat(np.arange(len(starts)), counts)
    places = np.arange(len(users)) + np.repeat(begins - np.cumsum(counts) + counts, counts)
    histories = Histories(interactions.item_ids, starts[users], places)
    return HeldOut(users, histories, interactions.item_ids[places])
