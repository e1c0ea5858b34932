"""A table for the browser and as Markdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tf_iclrec.reports import page
from tf_iclrec.reports.markup import Html
from tf_iclrec.reports.numbers import readable


@dataclasses.dataclass(frozen=True)
class Table:
    """A table in both languages.

    Attributes:
        caption: What it shows.
        header: Names of the columns.
        rows: Cells; the first of each names the row.

    Example:
    >>> print(Table("Best", ("item", "sales"), [("tea", 3000)]).markdown())
    **Best**
    <BLANKLINE>
    | item | sales |
    |---|---|
    | tea | 3,000 |
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]

    def html(self) -> Html:
        """For the page."""
        return page.table(self.caption, self.header, self.rows)

    def markdown(self) -> str:
        """For GitHub and the like."""
        lines = [self.header, *([readable(cell) for cell in row] for row in self.rows)]
        written = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
        written.insert(1, "|---" * len(self.header) + "|")
        return "\n".join([f"**{self.caption}**", "", *written])
