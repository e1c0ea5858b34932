"""A section of an experiment's page, for the browser and as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tf_iclrec.experiments.parts.table import Table
from tf_iclrec.reports import page
from tf_iclrec.reports.markup import Html, element


@dataclasses.dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
        title: Its heading.
        content: Sentences, tables, and charts as markup, which Markdown goes without.
    """

    title: str
    content: Sequence[str | Table | Html]

    def html(self) -> page.Section:
        """For the page."""
        return page.section(self.title, [_html(one) for one in self.content], wide=True)

    def markdown(self) -> str:
        """For GitHub and the like."""
        written = [
            one.markdown() if isinstance(one, Table) else one
            for one in self.content
            if not isinstance(one, Html)
        ]
        return "\n\n".join([f"## {self.title}", *written])


def _html(one: str | Table | Html) -> Html:
    if isinstance(one, Table):
        return one.html()
    return one if isinstance(one, Html) else element("p", one)
