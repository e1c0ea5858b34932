"""What the lists of recommendations are like, apart from being right."""

import re
from collections.abc import Sequence

from tf_iclrec.reports.markup import element
from tf_iclrec.reports.numbers import Score
from tf_iclrec.reports.page import Section, section, table
from tf_iclrec.reports.run_sections.metrics import metrics_of_all
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

# By the beginning or end of a metric's name.
_MEANINGS = (
    (r"Coverage", "share of the catalogue that is in any list"),
    (r"Gini", "how unequally often items are recommended: 0 all alike, 1 always the same one"),
    (r"Novelty", "bits of surprise of an item; a less popular one has more"),
    (r"Diversity", "distance between the items of a list, by their vectors"),
    (r"(\w+)Diversity", "share of the pairs in a list that differ by {}"),
    (
        r"(\w+)Calibration",
        "how far shares by {} in a list are from those in the history, 0: alike",
    ),
)


def lists_section(runs: Sequence[ReportedRun]) -> Section | None:
    """Coverage, concentration, novelty and diversity."""
    found = {
        name: metrics["lists"]
        for name, metrics in metrics_of_all(runs).items()
        if "lists" in metrics
    }
    if not found:
        return None
    names = dict.fromkeys(name for lists in found.values() for name in lists)
    rows = [
        (
            element("span", name, element("small", f" {_meaning(name)}")),
            *(_shown(lists.get(name)) for lists in found.values()),
        )
        for name in names
    ]
    note = (
        "Vectors and intents are each run's own: what is measured by them compares with the "
        "yardsticks of the first run, and not from run to run."
    )
    return section(
        "Lists",
        table("What the lists are like", ("", *found), rows),
        element("p", note) if len(runs) > 1 else None,
        wide=True,
    )


def _shown(value: float | None) -> object:
    return "" if value is None else Score(value)


def _meaning(name: str) -> str:
    """What a metric says.

    Example:
    >>> _meaning("MainCategoryDiversity@20")
    'share of the pairs in a list that differ by main category'
    """
    for pattern, words in _MEANINGS:
        if found := re.fullmatch(pattern + r"@\d+", name):
            known = re.sub(r"(?<!^)([A-Z])", r" \1", found[1]).lower() if found.groups() else ""
            return words.format(known)
    return ""
