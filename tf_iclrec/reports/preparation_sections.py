"""What a preparation read and left out."""

from collections.abc import Mapping
from typing import Any

from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Share
from tf_iclrec.reports.page import section, table

# What is counted before and after each round of the core, and how it is called.
_COUNTED = {
    "users": "users",
    "items": "items",
    "providers": "providers",
    "actions": "interactions",
}


def preparation_sections(preparation: Mapping[str, Any]) -> list[Html | None]:
    """How rows became interactions.

    Args:
        preparation: As `write_data_report` takes it; any key may be missing.

    Example:
    >>> reading, core = preparation_sections({"rows_read": 9, "dropped": {"twice": 3}})
    >>> "33.3%" in reading, core
    (True, None)
    """
    return [_reading(preparation), _rounds(preparation)]


def _reading(preparation: Mapping[str, Any]) -> Html | None:
    read, dropped = preparation.get("rows_read"), preparation.get("dropped", {})
    columns, notes = preparation.get("columns", {}), preparation.get("notes", ())
    rows = []
    if read is not None:
        share = max(read, 1)
        rows.append(("read", read, Share(1.0)))
        rows += [(reason, number, Share(number / share)) for reason, number in dropped.items()]
        kept = read - sum(dropped.values())
        rows.append(("kept", kept, Share(kept / share)))
    elif dropped:
        rows = [(reason, number, "") for reason, number in dropped.items()]
    content = [
        table("Rows read, and dropped for each reason", ("", "rows", "share"), rows)
        if rows
        else None,
        table("Columns", ("what", "name in the source"), columns.items()) if columns else None,
        [element("p", note) for note in notes],
    ]
    return section("Reading", content) if rows or columns or notes else None


def _rounds(preparation: Mapping[str, Any]) -> Html | None:
    rounds = preparation.get("rounds", ())
    if not rounds:
        return None
    names = {key: name for key, name in _COUNTED.items() if any(key in one for one in rounds)}
    rows = [
        ("before" if number == 0 else f"round {number}", *(one.get(key, "") for key in names))
        for number, one in enumerate(rounds)
    ]
    caption = "What is left after each round of the core"
    return section("Core", table(caption, ("", *names.values()), rows))
