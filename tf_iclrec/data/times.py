"""Times as int64 microseconds since 1970, in UTC."""

import datetime

import numpy as np

from tf_iclrec.errors import UserError

# A number of a log counts seconds, or the unit in which it would be a date of our time: from 1973
# on, a millisecond has more digits than a second will have for 3,000 years.
MICROSECONDS_FROM = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))
UNITS = {1e-3: "nanoseconds", 1.0: "microseconds", 1e3: "milliseconds", 1e6: "seconds"}
_SECOND = 1_000_000


def microseconds_per_unit(largest: float) -> float:
    """What one of a log's numbers counts, by the largest of them.

    Example:
    >>> microseconds_per_unit(1_500_000_000), microseconds_per_unit(1_500_000_000_000)
    (1000000.0, 1000.0)
    """
    return next(unit for least, unit in MICROSECONDS_FROM if abs(largest) >= least)


def parse_time(moment: str | datetime.date) -> int:
    """A date or time that a person writes, as ISO 8601, to microseconds since 1970.

    Without a time zone it is UTC. Dates of Python, NumPy and pandas are read, too.

    Raises:
        UserError: If it is none.

    Example:
    >>> parse_time("1970-01-02"), parse_time("1970-01-01T00:00:01+01:00")
    (86400000000, -3599000000)
    >>> parse_time(datetime.date(1970, 1, 2))
    86400000000
    """
    try:
        # Dates say themselves like this as text.
        parsed = datetime.datetime.fromisoformat(str(moment))
    except ValueError as error:
        raise UserError(
            f"{moment!r} is no date: write it like 2017-06-01 or 2017-06-01T12:00:00."
        ) from error
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=datetime.UTC)
    return round(parsed.timestamp() * _SECOND)


def format_time(microseconds: int) -> str:
    """As ISO 8601; without the time of day at midnight.

    Example:
    >>> format_time(86_400_000_000), format_time(3_600_500_000)
    ('1970-01-02', '1970-01-01T01:00:00.500000')
    """
    moment = np.datetime64(int(microseconds), "us").item()
    if not isinstance(moment, datetime.datetime):  # Before the year 1 or after 9999.
        return str(np.datetime64(int(microseconds), "us"))
    at_midnight = moment.time() == datetime.time()
    return moment.date().isoformat() if at_midnight else moment.isoformat()
