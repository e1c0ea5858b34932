"""A page: sections of tables, charts and sentences in one file that needs nothing else.

>>> document = page("Sales", section("Items", table("Best", ("item", "sales"), [("tea", 3000)])))
>>> '<td class="number">3,000</td>' in document
True
"""

from collections.abc import Iterable, Mapping, Sequence

from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import readable
from tf_iclrec.reports.style import STYLE


def page(title: str, *content: object, subtitle: str = "") -> str:
    """A whole document.

    Args:
        title: Of the page.
        content: Its sections, and whatever stands between them.
        subtitle: A line below the title.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(STYLE)),
    )
    header = element("header", element("h1", title), element("p", subtitle) if subtitle else None)
    body = element("body", header, element("main", content))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def section(title: str, *content: object) -> Html:
    """A heading and what belongs to it, side by side where there is room."""
    inside = element("div", content, class_="columns")
    return element("section", element("h2", title), inside)


def facts(values: Mapping[str, object]) -> Html:
    """A few figures that matter most, by their names."""
    pairs = [
        element("div", element("dt", name), element("dd", readable(value)))
        for name, value in values.items()
    ]
    return element("dl", pairs, class_="facts")


def notices(title: str, sentences: Sequence[str], otherwise: str) -> Html:
    """Sentences that should be seen first, or ``otherwise`` if there are none."""
    if not sentences:
        return element("p", otherwise, class_="fine")
    entries = [element("li", sentence) for sentence in sentences]
    return element("section", element("h2", title), element("ul", entries), class_="notices")


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table whose first cell of each row names the row.

    Args:
        caption: What it shows.
        header: Names of the columns; empty for a table of names and their values.
        rows: Cells; numbers get thousands separators and stand on the right.
    """
    rows = [tuple(row) for row in rows]
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    sides = ["number" if _is_numeric(column) else None for column in columns]
    if not header:
        sides[1:] = ["number"] * len(sides[1:])
    names = [
        # Above the names of the rows there may be nothing to read out.
        element("th", name, scope="col", class_=side) if name else element("td")
        for name, side in zip(header, sides, strict=bool(header))
    ]
    lines = [
        element("tr", [_cell(index, cell, sides[index]) for index, cell in enumerate(row)])
        for row in rows
    ]
    written = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", names)) if names else None,
        element("tbody", lines),
    )
    # One that is too wide is scrolled by itself, with the keyboard too.
    return element("div", written, class_="scroll", tabindex=0, role="group", aria_label=caption)


def _is_numeric(column: Sequence[object]) -> bool:
    return all(isinstance(cell, int | float) or cell == "" for cell in column)


def _cell(index: int, cell: object, side: str | None) -> Html:
    if index == 0:
        return element("th", readable(cell), scope="row", class_=side)
    return element("td", readable(cell), class_=side)
