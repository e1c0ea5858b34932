"""The tables of a page, as a test reads them."""

from html.parser import HTMLParser
from pathlib import Path


class PageTables(HTMLParser):
    """Tables by their captions: rows of cells as text, the header first, where there is one."""

    def __init__(self, text: str):
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict]] = []
        self._rows: list[list[str]] = []
        self._into: list[str] | None = None
        self.feed(text)

    @classmethod
    def of(cls, path: Path) -> "PageTables":
        return cls(path.read_text(encoding="utf-8"))

    def __getitem__(self, caption: str) -> list[list[str]]:
        return self.tables[caption]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
            self._into = self._rows[-1]
        elif tag == "caption":
            self._rows, self._into = [], [""]
            self._caption = self._into

    def handle_endtag(self, tag):
        if tag in ("td", "th", "caption"):
            self._into = None
        elif tag == "table":
            self.tables[self._caption[0]] = self._rows

    def handle_data(self, data):
        if self._into is not None:
            self._into[-1] += data
