"""What of sources is not in a prepared folder yet."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_iclrec.data.preparation.fingerprint import fingerprint, parts_of
from tf_iclrec.data.preparation.selection import Selection
from tf_iclrec.errors import UserError

_RANGE = ("since", "until")


def files_read(names: Sequence[str], since: str = "", until: str = "") -> list[dict[str, Any]]:
    """The `fingerprint` of sources, each file with the times between which it is read."""
    times = {"since": since, "until": until}
    said = {name: time for name, time in times.items() if time}
    return [one | said for one in fingerprint(names)]


def files_alone(read: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What `files_read` gives, without the times."""
    return [{name: one[name] for name in one if name not in _RANGE} for one in read]


def additions(
    names: Sequence[str], since: str, until: str, known: Sequence[dict], folder: Path
) -> tuple[list[str], list[dict]]:
    """The parts of sources that are not in a prepared folder.

    Args:
        names: The sources.
        since: First time that is asked for, ISO 8601; ``""`` = all.
        until: First time that is not.
        known: `files_read` of what is in the folder.
        folder: How messages call it.

    Returns:
        The parts, and `files_read` of what is in the folder with them.

    Raises:
        UserError: If one was changed since it was added, or a part of what is asked for is there:
            rows would count twice.
    """
    new, read = [], list(known)
    for part in parts_of(names):
        files = files_read([part], since, until)
        alone, paths = files_alone(files), {one["name"] for one in files}
        before = [one for one in read if one["name"] in paths]
        if before and any(one not in files_alone(before) for one in alone):
            raise UserError(
                f"{part} was changed since it was added to {folder}: give its new rows in a file "
                "of their own, or prepare all anew with --output and --overwrite."
            )
        start, end = _times(files[0]) if files else (-_EVER, _EVER)
        there = _joined(map(_times, before))
        if any(first <= start and end <= last for first, last in there):
            continue
        if any(start < last and first < end for first, last in there):
            raise UserError(
                f"A part of what is asked for of {part} is in {folder} already: {_said(before)}. "
                "Say with --since and --until what is missing."
            )
        new.append(part)
        read += files
    return new, read


# Beyond all times.
_EVER = float("inf")


def _times(one: Mapping[str, Any]) -> tuple[float, float]:
    times = Selection(since=one.get("since", ""), until=one.get("until", ""))
    first, end = times.first_time, times.end_time
    return -_EVER if first is None else first, _EVER if end is None else end


def _joined(ranges: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ranges of time, those that touch as one.

    Example:
    >>> _joined([(5, 7), (1, 2), (2, 4)])
    [(1, 4), (5, 7)]
    """
    joined: list[tuple[float, float]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1]:
            first, before = joined.pop()
            last = max(before, last)
        joined.append((first, last))
    return joined


def _said(read: Iterable[Mapping[str, Any]]) -> str:
    said = [" ".join(f"{name} {one[name]}" for name in _RANGE if name in one) for one in read]
    return ", ".join(dict.fromkeys(one or "all of it" for one in said))
