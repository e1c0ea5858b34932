"""What is done to the rows of a log, written once in the DataFrame interface of PySpark.

Spark runs it as it is, DuckDB through SQLFrame; `F` is the engine's module of functions. Both read
text by the same patterns and sort text by its bytes, and what is missing is NULL or empty, so that
both give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tf_iclrec.data.preparation import reasons
from tf_iclrec.data.preparation.source import Kind

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    Functions = Any

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
_ISO_8601 = f"^{_DATE}([T ]{_CLOCK}{_ZONE})?$"
_NUMBER = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_WHOLE = r"^(0|[1-9][0-9]{0,17})$"
# Beyond what 64 bits hold as nanoseconds.
_TOO_LARGE = 9e18
ROLES = ("user", "item", "provider")


def typed(rows: DataFrame, F: Functions, kinds: dict[str, Kind], order: Sequence[str]) -> DataFrame:
    """The columns that are read, as what they say.

    Args:
        rows: The columns by role, as the source has them, and ``order``.
        F: The engine's functions.
        kinds: What each of them holds, by role.
        order: The engine's columns of the order of the source.

    Returns:
        ``user``, ``item`` and ``provider`` as text, NULL where missing; the time as ``number``, and
        exactly as ``whole`` if it has no fraction, or as ``moment`` in microseconds since 1970;
        ``rating``; and what can't be read, as it is
        written, as ``bad_time`` and ``bad_rating``.
    """
    read = [_text(F, role, kinds[role]).alias(role) for role in ROLES if role in kinds]
    number, moment = _number(F, "time", kinds["time"]), _moment(F, "time", kinds["time"])
    unreadable = number.isNull() & moment.isNull() & ~_missing(F, "time", kinds["time"])
    read += [
        number.alias("number"),
        _whole(F, "time", kinds["time"]).alias("whole"),
        moment.alias("moment"),
        F.when(unreadable, F.col("time").cast("string")).alias("bad_time"),
    ]
    if "rating" in kinds:
        rating = _number(F, "rating", kinds["rating"])
        unreadable = rating.isNull() & ~_missing(F, "rating", kinds["rating"])
        text = F.col("rating").cast("string")
        read += [rating.alias("rating"), F.when(unreadable, text).alias("bad_rating")]
    return rows.select(*read, *order)


def profile(rows: DataFrame, F: Functions) -> DataFrame:
    """What must be known of all `typed` rows before they are used: one row of figures."""
    size = F.abs(F.col("number"))
    figures = [
        F.count(F.lit(1)).alias("rows"),
        F.count("number").alias("numbers"),
        F.count("moment").alias("moments"),
        F.max(size).alias("largest"),
        # Zero is the same time in all units.
        F.min(F.when(size > F.lit(0), size)).alias("smallest"),
        F.count("bad_time").alias("bad_times"),
    ]
    if "bad_rating" in rows.columns:
        figures.append(F.count("bad_rating").alias("bad_ratings"))
    return rows.agg(*figures)


def first_where(rows: DataFrame, F: Functions, condition: str, order: Sequence[str]) -> DataFrame:
    """The first row of the source, by the columns of its order, for which a condition in SQL
    holds."""
    return rows.where(F.expr(condition)).orderBy(*order).limit(1)


def timed(rows: DataFrame, F: Functions, unit: float | None) -> DataFrame:
    """`typed` rows with ``time`` in microseconds since 1970.

    Args:
        rows: Typed rows.
        F: The engine's functions.
        unit: Microseconds in one of the numbers; None where the times are moments.
    """
    if unit is None:
        return rows.withColumn("time", F.col("moment"))
    # What does not fit into 64 bits was refused before.
    time = F.round(F.col("number") * F.lit(unit)).cast("bigint")
    if unit >= 1:
        time = F.coalesce(F.col("whole") * F.lit(int(unit)), time)
    return rows.withColumn("time", time)


def judged(
    rows: DataFrame,
    F: Functions,
    since: int | None,
    until: int | None,
    min_rating: float | None,
) -> DataFrame:
    """`timed` rows with the ``reason`` for which each is dropped, ``""`` = it is kept."""
    found: list[tuple[str, Column]] = [
        (reasons.NO_USER, F.col("user").isNull()),
        (reasons.NO_ITEM, F.col("item").isNull()),
        (reasons.NO_TIME, F.col("time").isNull()),
    ]
    if since is not None:
        found.append((reasons.TOO_EARLY, F.col("time") < F.lit(since)))
    if until is not None:
        found.append((reasons.TOO_LATE, F.col("time") >= F.lit(until)))
    if min_rating is not None:
        found.append((reasons.NO_RATING, F.col("rating").isNull()))
        found.append((reasons.RATED_LOW, F.col("rating") < F.lit(min_rating)))
    reason = F.when(found[0][1], F.lit(found[0][0]))
    for name, condition in found[1:]:
        reason = reason.when(condition, F.lit(name))
    return rows.withColumn("reason", reason.otherwise(F.lit("")))


def counted(rows: DataFrame, F: Functions) -> DataFrame:
    """How many rows there are for each ``reason``."""
    return rows.groupBy("reason").agg(F.count("*").alias("rows")).orderBy("reason")


def ids(rows: DataFrame, F: Functions, role: str) -> DataFrame:
    """The distinct ids of a role, and whether each is a whole number as it is usually written."""
    found = rows.select(role).where(F.col(role).isNotNull()).distinct()
    return found.withColumn("whole", F.col(role).rlike(_WHOLE))


def numbered(found: DataFrame, F: Functions, window: Any, role: str, whole: bool) -> DataFrame:
    """Distinct ids with their number from 0, ``ROLE_code``: numbers by size, other ids by their
    bytes.

    Args:
        found: Of `ids`.
        F: The engine's functions.
        window: The engine's ``Window``.
        role: Whose ids.
        whole: Whether all of them are whole numbers.
    """
    length = F.length(role) if whole else F.lit(0)
    # Of whole numbers without leading zeros the shorter one is the smaller one.
    found = found.select(role, length.alias("digits"))
    code = F.row_number().over(window.orderBy("digits", role)) - F.lit(1)
    return found.select(role, code.cast("int").alias(f"{role}_code"))


def ordered(rows: DataFrame, codes: dict[str, DataFrame], order: Sequence[str]) -> DataFrame:
    """The kept rows with numbers in place of ids, by user, time and place in the source.

    Args:
        rows: Rows that are kept.
        codes: Numbers by role, of `numbered`.
        order: The engine's columns of the order of the source.

    Returns:
        ``user_code``, ``item_code``, ``time``, and ``provider_code`` and ``rating`` where there
        are.
    """
    for role, found in codes.items():
        rows = rows.join(found, on=role, how="left" if role == "provider" else "inner")
    further = [f"{role}_code" for role in codes] + [n for n in ("rating",) if n in rows.columns]
    rows = rows.select("time", *further, *order)
    return rows.orderBy("user_code", "time", *order).select("time", *further)


def _text(F: Functions, role: str, kind: Kind) -> Column:
    value = F.col(role)
    text = value.cast("string")
    if kind == "decimal":
        # A column of whole numbers with a hole in it is often one of decimals.
        whole = F.expr(f"try_cast({role} as bigint)")
        text = F.when(value == whole.cast("double"), whole.cast("string"))
        text = text.when(~F.isnan(value), value.cast("string"))
    return F.when(text != F.lit(""), text)


def _missing(F: Functions, role: str, kind: Kind) -> Column:
    value = F.col(role)
    return value.isNull() | (value == F.lit("")) if kind == "text" else value.isNull()


def _number(F: Functions, role: str, kind: Kind) -> Column:
    if kind == "time":
        return F.lit(None).cast("double")
    value = F.col(role).cast("double")
    if kind == "text":
        value = F.when(F.col(role).rlike(_NUMBER), F.expr(f"try_cast({role} as double)"))
    # Neither NaN nor infinite.
    return F.when(F.abs(value) < F.lit(_TOO_LARGE), value)


def _whole(F: Functions, role: str, kind: Kind) -> Column:
    if kind == "integer":
        return F.col(role).cast("bigint")
    if kind == "text":
        return F.when(F.col(role).rlike(_WHOLE), F.expr(f"try_cast({role} as bigint)"))
    return F.lit(None).cast("bigint")


def _moment(F: Functions, role: str, kind: Kind) -> Column:
    if kind == "text":
        moment = F.when(F.col(role).rlike(_ISO_8601), F.expr(f"try_cast({role} as timestamp)"))
    elif kind == "time":
        moment = F.col(role).cast("timestamp")
    else:
        return F.lit(None).cast("bigint")
    return F.unix_micros(moment)
