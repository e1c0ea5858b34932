"""The built site in a browser: `make docs` has built it."""

import functools
import http.server
import threading
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tf_iclrec import SYSTEMS
from tf_iclrec.__main__ import COMMANDS
from tf_iclrec.options import flag, places

from ..browser.conftest import browser, browser_page  # noqa: F401
from ..documents import ROOT

SITE = ROOT / "docs" / "_build" / "html"
PAGES = [
    "index.html",
    "getting_started.html",
    "guides/serve.html",
    "concepts/measured.html",
    "notebooks/intents.html",
    "benchmarks/results/2026-11-22-speed.html",
    "reference/settings.html",
    "reference/generated/tf_iclrec.recommend.html",
]
# What can't be mended here: the theme's buttons that unfold the navigation have no name, and Sphinx
# makes the parameters of long signatures a list of definitions without terms.
MADE_BY_OTHERS = ("summary-name:", "definition-list:")
# pandas leaves the corners of its tables empty.
MADE_BY_PANDAS = ("empty-table-header:",)
pytestmark = pytest.mark.docs


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    """Where the site is served, on this machine."""
    assert (SITE / "index.html").is_file(), "There is no site: make docs."
    handler = functools.partial(_Quiet, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("place", PAGES)
def test_a_page_is_sound(place, width, address, browser_page):  # noqa: F811
    opened = browser_page(address + place, width=width)
    opened.check_quiet()
    assert opened.sideways() == 0
    known = MADE_BY_OTHERS + (MADE_BY_PANDAS if place.startswith("notebooks/") else ())
    assert [one for one in opened.violations() if not one.startswith(known)] == []
    # axe-core looks for a style sheet of the theme in the wrong folder.
    opened.errors.clear()


def test_the_search_finds_a_page(address, browser_page):  # noqa: F811
    opened = browser_page(address + "search.html?q=retrain")
    opened.page.get_by_role("link", name="Retrain daily").first.wait_for()


def test_the_reference_has_every_command_setting_and_model():
    import bs4

    named = {
        "commands": COMMANDS,
        "settings": map(flag, places()),
        "models": SYSTEMS,
    }
    for page, names in named.items():
        html = (SITE / "reference" / f"{page}.html").read_text()
        words = set(bs4.BeautifulSoup(html, "html.parser").article.get_text(" ").split())
        assert set(names) <= words


def test_every_link_inside_the_site_leads_somewhere():
    import bs4

    paths = SITE.rglob("*.html")
    pages = {path: bs4.BeautifulSoup(path.read_text(), "html.parser") for path in paths}
    assert len(pages) > 80
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    dead = []
    for path, page in pages.items():
        for link in page.find_all("a", href=True):
            target, anchor = urldefrag(urljoin(path.as_uri(), link["href"]))
            if not target.startswith("file:"):
                continue
            found = type(path)(unquote(target.removeprefix("file://")))
            if not found.exists() or (anchor and found in anchors and anchor not in anchors[found]):
                dead.append(f"{path.relative_to(SITE)}: {link['href']}")
    assert dead == []
