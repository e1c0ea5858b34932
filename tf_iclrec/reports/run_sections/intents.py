"""Which intents users have."""

from __future__ import annotations

from tf_iclrec.analysis.intents.describe import describe_intents
from tf_iclrec.reports.intent_page import sections_of_intents
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.run_sections.reported_run import ReportedRun

# Of more users so many are looked at: an epoch of them takes as long.
_MOST_USERS = 3_000


def intents_sections(
    reported: ReportedRun, baseline: ReportedRun | None = None
) -> list[Html | None]:
    """The intents with their map, how users move between them, and what became of those of an
    earlier run; nothing for a model without intents."""
    if not reported.run.model.found_intents:
        return []
    before = baseline.run if baseline and baseline.run.model.found_intents else None
    report = describe_intents(reported.run, before, most_users=_MOST_USERS)
    intents, *others = sections_of_intents(report)
    trained = reported.run.split.num_trained
    sample = None
    if trained > report.users.num_rows:
        sample = element(
            "p",
            f"These are figures of {report.users.num_rows:,} users, drawn from {trained:,}. The "
            "command tf_iclrec.intents describes the intents of all.",
        )
    return [intents, sample, *others]
