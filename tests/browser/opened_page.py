"""A page that is open in a browser, and what all pages of the library have to fulfil."""

import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

# Nothing but this machine can be reached, whatever a page or the browser itself asks for.
FAR_AWAY = [
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
_HEIGHT = 900


@dataclasses.dataclass
class OpenedPage:
    """A page in a window of its own.

    Attributes:
        page: Playwright's, to click, type and read: ``page.get_by_role("button")``.
        errors: What the page said to the console as an error, and exceptions of its scripts.
        elsewhere: Addresses that it asked for beyond its own origin; of a file, beyond its folder.
    """

    page: object
    errors: list[str] = dataclasses.field(default_factory=list)
    elsewhere: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def of(
        cls, browser, place: str | Path, width: int, scheme: str, scripts: bool = True
    ) -> "OpenedPage":
        """Open a file (a path) or an address (text) and wait until it is loaded."""
        address = place.resolve().as_uri() if isinstance(place, Path) else place
        size = {"width": width, "height": _HEIGHT}
        context = browser.new_context(
            viewport=size, color_scheme=scheme, java_script_enabled=scripts
        )
        opened = cls(context.new_page())
        home = _home(address)

        def said(message):
            if message.type == "error":
                opened.errors.append(message.text)

        def asked(request):
            if not request.url.startswith((home, "data:", "blob:")):
                opened.elsewhere.append(request.url)

        opened.page.on("console", said)
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        context.on("request", asked)
        opened.page.goto(address)
        return opened

    def close(self) -> None:
        """Close its window."""
        self.page.context.close()

    def check_quiet(self) -> None:
        """No errors so far, and nothing from elsewhere."""
        _check_none(errors=self.errors, elsewhere=self.elsewhere)

    def check_sound(self) -> None:
        """All that any page has to fulfil, with everything on it unfolded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        self.check_quiet()
        _check_none(
            sideways=self.sideways(),
            invisible=self.invisible(),
            dead_links=self.dead_links(),
            violations=self.violations(),
        )

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")

    def invisible(self) -> list[str]:
        """Tables and drawings that take no place, each by how it begins."""
        return self.page.evaluate(
            """[...document.querySelectorAll('table, svg:not(svg svg), canvas')]
            .filter(one => !one.getBoundingClientRect().width
                || !one.getBoundingClientRect().height
                || getComputedStyle(one).visibility != 'visible')
            .map(one => one.outerHTML.slice(0, 80))"""
        )

    def dead_links(self) -> list[str]:
        """Links inside the page that lead nowhere."""
        return self.page.evaluate(
            """[...document.querySelectorAll('a[href^="#"]')]
            .map(one => one.getAttribute('href'))
            .filter(href => !document.getElementById(decodeURIComponent(href.slice(1))))"""
        )

    def overlaps(self) -> list[str]:
        """Pairs of texts in the same drawing of which one stands over the other."""
        return self.page.evaluate(
            """[...document.querySelectorAll('svg')].flatMap(svg => {
                const texts = [...svg.querySelectorAll('text')]
                    .map(one => [one.textContent, one.getBoundingClientRect()])
                    .filter(([text, box]) => text && box.width);
                return texts.flatMap(([text, a], index) => texts.slice(index + 1)
                    .filter(([_, b]) => a.left < b.right - 1 && b.left < a.right - 1
                        && a.top < b.bottom - 2 && b.top < a.bottom - 2)
                    .map(([other]) => `${text} / ${other}`));
            })"""
        )

    def violations(self) -> list[str]:
        """What axe-core finds against the accessibility rules, with the first place of each."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['help']} ({len(one['nodes'])} places, such as "
            f"{one['nodes'][0]['html'][:200]})"
            for one in found
        ]


def _check_none(**found) -> None:
    assert not any(found.values()), {name: what for name, what in found.items() if what}


def _home(address: str) -> str:
    """How the addresses begin that a page may ask for."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return address.rsplit("/", 1)[0] + "/"
    return f"{parts.scheme}://{parts.netloc}/"
