"""What in a log usually is a mistake."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tf_iclrec.data.interactions import Interactions
from tf_iclrec.data.times import format_time
from tf_iclrec.reports.figures.data_figures import DataFigures
from tf_iclrec.reports.numbers import Share, readable

if TYPE_CHECKING:
    import pyarrow as pa

# Shares from which on something is worth a sentence.
_ONE_USER = 0.1
_ONE_ITEM = 2 / 3
_SHORT = 0.5
_REPEATED = 0.1
_COPIED = 0.01
# In a log of fewer users one user or item easily has a large share.
_FEW_USERS = 20
_MOST_LETTERS = 60  # Of an id that is quoted.
# Dates as digits, by the microseconds that one of their numbers was taken for.
_DATES_AS_DIGITS = ((1_000_000, "%Y%m%d"), (1000, "%Y%m%d%H%M"), (1000, "%Y%m%d%H%M%S"))


def data_warnings(figures: DataFigures) -> list[str]:
    """Sentences that say what looks like a mistake in a log and what to do.

    Args:
        figures: Of the log.

    Returns:
        A sentence each; none for a log that looks sound.

    Example:
    >>> log = Interactions.from_sequences({"ann": ["tea", "Tea ", "jam"]})
    >>> data_warnings(DataFigures(log))[0]
    "2 items have ids that differ only by case or blanks around them, such as 'Tea ' and 'tea'; ..."
    """
    return [
        *_about_times(figures),
        *_about_ids(figures.log),
        *_about_constants(figures),
        *_about_giants(figures),
        *_about_short_histories(figures),
        *_about_repeats(figures),
    ]


def _about_times(figures: DataFigures) -> Iterator[str]:
    times, number = figures.times, figures.log.num_actions
    if times is None:
        return
    between = f"from {format_time(times.first)} to {format_time(times.last)}"
    digits = _as_digits(times.first), _as_digits(times.last)
    if all(digits):
        yield (
            f"The times are dates written as digits, from {digits[0]} to {digits[1]}, and were "
            f"read as numbers, {between}; write them like 2017-06-01 or 2017-06-01T12:00:00."
        )
        return
    if times.early == number and times.first < times.last:
        yield (
            f"All times are {between}, so their numbers are no dates; give seconds since 1970 or "
            "dates like 2017-06-01, unless they only tell the order."
        )
    elif 0 < times.early < number:
        yield (
            f"{_part(times.early, number)} of the times are in 1970 or before, the first "
            f"{format_time(times.first)}, the others later; give all of them in one unit, not "
            "seconds beside milliseconds, and leave out rows whose time is unknown."
        )
    if times.late:
        yield (
            f"{_part(times.late, number)} of the times are after the year 2100, the last "
            f"{format_time(times.last)}; give seconds or milliseconds since 1970, or dates like "
            "2017-06-01."
        )


def _as_digits(time: int) -> str | None:
    """A time as the date whose digits it seems to be."""
    for unit, form in _DATES_AS_DIGITS:
        digits = str(time // unit)
        # As wide as the form demands: strptime is content with fewer digits.
        if time % unit == 0 and len(digits) == len(f"{datetime.datetime(2000, 1, 1):{form}}"):
            try:
                year = datetime.datetime.strptime(digits, form).year
            except ValueError:
                continue
            if 1900 <= year < 2100:
                return digits
    return None


def _about_ids(log: Interactions) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = {"users": log.users, "items": log.items.ids}
    if log.providers is not None:
        kinds["providers"] = log.providers.vocabulary.ids
    for kind, ids in kinds.items():
        raw = pa.array(ids, type=pa.large_string())
        plain = pc.utf8_lower(pc.utf8_trim_whitespace(raw))
        number, example = _alike(raw, plain)
        if number:
            yield (
                f"{number:,} {kind} have ids that differ only by case or blanks around them, such "
                f"as {example}; write each in one way if they are the same."
            )
        plain = plain.unique()
        number, example = _alike(
            plain, pc.replace_substring_regex(plain, r"^0*(\d+)(\.0*)?$", r"\1")
        )
        if number:
            yield (
                f"{number:,} {kind} have ids that are the same number written in two ways, such "
                f"as {example}; write each in one way if they are the same."
            )


def _alike(ids: pa.Array, plain: pa.Array) -> tuple[int, str]:
    """How many ids become equal to another one in their plain form, and two of them."""
    codes = plain.dictionary_encode().indices.to_numpy()
    counts = np.bincount(codes)
    doubled = counts > 1
    if not doubled.any():
        return 0, ""
    pair = np.flatnonzero(codes == doubled.argmax())[:2]
    return int(counts[doubled].sum()), " and ".join(_quoted(ids[place]) for place in pair.tolist())


def _about_constants(figures: DataFigures) -> Iterator[str]:
    log, times, ratings = figures.log, figures.times, figures.ratings
    if times is not None and times.first == times.last and log.num_actions > 1:
        yield (
            f"All interactions have the same time, {format_time(times.first)}, so that only the "
            "rows of the file tell their order; name the right column of times."
        )
    attributes = {} if log.providers is None else {"provider": log.providers}
    for name, attribute in (attributes | dict(log.attributes)).items():
        if len(attribute.vocabulary) == 1 and log.num_items > 1:
            value = _quoted(attribute.vocabulary.ids[0])
            yield (
                f"All that is known of {name} is one value, {value}, which tells a model "
                "nothing; name another column, or leave it out."
            )
    if ratings is not None and len(ratings.counts) == 1 and ratings.known > 1:
        yield (
            f"All ratings are {ratings.labels[0]}, which says nothing of what users like; name "
            "another column, or leave it out."
        )


def _about_giants(figures: DataFigures) -> Iterator[str]:
    log = figures.log
    if log.num_users < _FEW_USERS:
        return
    user = int(log.lengths.argmax())
    share = Share(log.lengths[user] / max(log.num_actions, 1))
    if share >= _ONE_USER:
        yield (
            f"The user {_quoted(log.users[user])} has {readable(share)} of all interactions; leave "
            "the user out if it is a robot, a test or stands for all who are not logged in."
        )
    item = int(figures.repeats.users_of_items.argmax())
    share = Share(figures.repeats.users_of_items[item] / log.num_users)
    if share >= _ONE_ITEM:
        yield (
            f"The item {_quoted(log.items.ids[item])} is in {readable(share)} of all histories; "
            "leave it out if it is no item that one chooses, such as a bag or a start page."
        )


def _about_short_histories(figures: DataFigures) -> Iterator[str]:
    lengths = figures.log.lengths
    short = int((lengths <= 2).sum())
    if len(lengths) and short > _SHORT * len(lengths):
        yield (
            f"{_part(short, len(lengths))} of the users have only one or two interactions, too few "
            "for training, validation and test; look whether the user column is a session or a "
            "visit, or keep longer ones with --min-user-count."
        )


def _about_repeats(figures: DataFigures) -> Iterator[str]:
    repeated, number = figures.repeats.repeated, figures.log.num_actions
    if repeated > _REPEATED * number:
        yield (
            f"{_part(repeated, number)} of the interactions are items that the user had before, "
            "which an evaluation that leaves seen items out never finds; keep only first "
            "interactions, or don't leave seen items out."
        )
    copies = figures.repeats.copies
    if copies > _COPIED * number:
        yield (
            f"{_part(copies, number)} of the interactions are there once more, with the same user, "
            "item and time; look whether rows were exported or read twice, and leave out the "
            "copies, with --repeats first if a user's first interaction with an item will do."
        )


def _part(number: int, total: int) -> str:
    return f"{readable(Share(number / total))} ({number:,})"


def _quoted(name: object) -> str:
    text = str(name)
    return repr(text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}...")
