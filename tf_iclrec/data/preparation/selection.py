"""Which rows of a log are used, as people say it."""

import dataclasses
import re
from typing import Annotated, Literal

from tf_iclrec.data.times import UNITS, microseconds_per_unit, parse_time
from tf_iclrec.errors import UserError
from tf_iclrec.settings import Setting, checked

# Microseconds that fit into 64 bits.
_LONGEST = 9e18
Repeats = Literal["keep", "first", "last", "drop-consecutive"]
TimeUnit = Literal["auto", "seconds", "milliseconds", "microseconds", "nanoseconds"]


@checked
@dataclasses.dataclass(frozen=True)
class Selection:
    """What is kept of a log, in this order: rows by time and rating, then repeats, then the core,
    then users by their length.

    Attributes:
        time_unit: What the numbers of the time column count; ``"auto"``: the unit in which they
            are dates of our time.
        since: First time that is used, ISO 8601; ``""`` = all.
        until: First time that is not used any more.
        min_rating: Least rating; 0 = ratings are not looked at.
        repeats: Of several interactions of a user with an item: all are kept, the first, the last,
            or of those that follow each other directly the first.
        min_user_count: Interactions that a user needs.
        min_item_count: Interactions that an item needs; both hold at the end.
        users_by_length: ``"1/3"``: of three equally large groups of users the first, that with the
            fewest interactions; ``""`` = all.

    Example: `load_interactions` takes them by name.
    >>> import pandas as pd
    >>> from tf_iclrec import load_interactions
    >>> rows = pd.DataFrame({"user": ["ann", "ann", "bob"], "item": list("aba"), "time": [1, 2, 3]})
    >>> load_interactions(rows, min_user_count=2).users.tolist()
    ['ann']
    """

    time_unit: Annotated[
        TimeUnit,
        Setting("what numbers in the time column count; auto: by their size"),
    ] = "auto"
    since: Annotated[
        str, Setting("first time that is used, such as 2017-06-01", of_one_run=True)
    ] = ""
    until: Annotated[str, Setting("first time that is not used any more", of_one_run=True)] = ""
    min_rating: Annotated[
        float, Setting("least rating of the interactions that are used; 0: all")
    ] = 0.0
    repeats: Annotated[
        Repeats,
        Setting(
            "of several interactions of a user with an item: keep all, the first, the last, or "
            "drop those that follow directly"
        ),
    ] = "keep"
    min_user_count: Annotated[
        int, Setting("interactions that a user needs to be kept (k-core)", at_least=0)
    ] = 0
    min_item_count: Annotated[
        int, Setting("interactions that an item needs to be kept (k-core)", at_least=0)
    ] = 0
    users_by_length: Annotated[
        str,
        Setting(
            "only the users of one of several equally large groups by the number of their "
            "interactions, such as 1/3: the third with the fewest"
        ),
    ] = ""

    @property
    def first_time(self) -> int | None:
        """``since`` in microseconds since 1970."""
        return parse_time(self.since) if self.since else None

    @property
    def end_time(self) -> int | None:
        """``until`` in microseconds since 1970."""
        return parse_time(self.until) if self.until else None

    @property
    def length_group(self) -> tuple[int, int] | None:
        """``users_by_length`` as the number of the group, from 1, and how many there are.

        Raises:
            UserError: If it says something else.

        Example:
        >>> Selection(users_by_length="1/3").length_group
        (1, 3)
        """
        if not self.users_by_length:
            return None
        parts = re.fullmatch(r"(\d{1,9})/(\d{1,9})", self.users_by_length, re.ASCII)
        number, groups = map(int, parts.groups()) if parts else (0, 0)
        if not 1 <= number <= groups:
            raise UserError(
                f"--users-by-length {self.users_by_length} is no group: write 1/3 for the third of "
                "the users with the fewest interactions, 3/3 for that with the most."
            )
        return number, groups

    def check(self) -> None:
        """Make sure that it can be meant.

        Raises:
            UserError: If the group of users is none, or the end is not after the beginning.
        """
        _ = self.length_group
        first, end = self.first_time, self.end_time
        if first is not None and end is not None and first >= end:
            raise UserError(f"--since {self.since} is not before --until {self.until}.")

    def unit(self, smallest: float | None, largest: float | None) -> float:
        """Microseconds in one of a column's numbers.

        Args:
            smallest: Of the numbers, by size and without zero.
            largest: Of the numbers, by size.

        Raises:
            ValueError: If some count another unit than others.
        """
        largest = largest or 0.0
        if self.time_unit != "auto":
            unit = next(unit for unit, name in UNITS.items() if name == self.time_unit)
            if largest * unit > _LONGEST:
                raise UserError(f"The time {largest:.15g} is too large to count {self.time_unit}.")
            return unit
        unit = microseconds_per_unit(largest)
        if smallest is not None and microseconds_per_unit(smallest) != unit:
            raise ValueError(UNITS[unit])
        return unit
