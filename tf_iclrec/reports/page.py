"""A page: sections of tables, charts and sentences in one file that needs nothing else.

>>> document = page("Sales", section("Items", table("Best", ("item", "sales"), [("tea", 3000)])))
>>> '<td class="number">3,000</td>' in document
True
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tf_iclrec.errors import UserError
from tf_iclrec.files import replace_file
from tf_iclrec.reports.markup import Html, element
from tf_iclrec.reports.numbers import Figure, readable
from tf_iclrec.reports.style import STYLE


def write_page(document: str, path: str | Path) -> None:
    """Write a page to a file; one that is there is replaced.

    Raises:
        UserError: If it can't be written.
    """
    try:
        with replace_file(Path(path)) as temporary:
            # The name of a file, which a page may show, can hold bytes that are no text.
            temporary.write_text(document, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror}.") from error


class Section(Html):
    """A part of a page that its table of contents names.

    Attributes:
        title: Its heading.
        anchor: What links call it.
    """

    title: str
    anchor: str


def page(title: str, *content: object, subtitle: str = "") -> str:
    """A whole document, with links to its sections above them.

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
    entries = [
        element("li", element("a", one.title, href=f"#{one.anchor}")) for one in _sections(content)
    ]
    contents = element("nav", element("ul", entries), aria_label="Contents") if entries else None
    skip = element("a", "Skip to the content", href="#content", class_="skip")
    main = element("main", content, id="content", tabindex=-1)
    body = element("body", skip, header, contents, main)
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def section(title: str, *content: object, wide: bool = False) -> Section:
    """A heading and what belongs to it.

    Args:
        title: The heading; no other on the page has the same.
        content: What belongs to it, side by side where there is room.
        wide: Whether each part takes the whole width.
    """
    anchor = re.sub(r"\W+", "-", title.lower())
    inside = element("div", content, class_=None if wide else "columns")
    made = Section(element("section", element("h2", title), inside, id=anchor))
    made.title, made.anchor = title, anchor
    return made


def _sections(content: object) -> Iterator[Section]:
    if isinstance(content, Section):
        yield content
    elif isinstance(content, list | tuple):
        for part in content:
            yield from _sections(part)


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
    sides = [_side(column, not header and index > 0) for index, column in enumerate(columns)]
    names = [
        # Above the names of the rows there may be nothing to read out.
        element("th", name, scope="col", class_=side) if name else element("td")
        for name, side in zip(header, sides, strict=bool(header))
    ]
    lines = [
        element("tr", [_cell(index, cell, sides[index]) for index, cell in enumerate(row)])
        for row in rows
    ]
    head = element("thead", element("tr", names)) if names else None
    return scrolling(caption, head, element("tbody", lines))


def scrolling(caption: str, *parts: Html | None) -> Html:
    """A table of some parts that is scrolled by itself where it is too large, with the keyboard
    too."""
    written = element("table", element("caption", caption), parts)
    return element("div", written, class_="scroll", tabindex=0, role="group", aria_label=caption)


def _side(column: Sequence[object], values: bool) -> str | None:
    """Numbers stand on the right and in one line, and so do values beside names, which may be
    long."""
    if all(isinstance(cell, int | float | Figure) or cell == "" for cell in column):
        return "number"
    return "value" if values else None


def _cell(index: int, cell: object, side: str | None) -> Html:
    shown = cell if isinstance(cell, Html) else readable(cell)
    if index == 0:
        return element("th", shown, scope="row", class_=side)
    return element("td", shown, class_=side)
