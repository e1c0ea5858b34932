"""Pages in a real browser: Chromium without a window, driven by Playwright."""

import shutil

import pytest

from .opened_page import FAR_AWAY, OpenedPage


@pytest.fixture(scope="module")
def browser():
    """Chromium. Closed with each file: while it is driven, an event loop runs in this thread, where
    other tests could then start none."""
    driver = pytest.importorskip("playwright.sync_api", reason="needs the extra: browser")
    pytest.importorskip("axe_playwright_python", reason="needs the extra: browser")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium or Chrome on the path")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FAR_AWAY)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser):
    """A function that opens a file or an address: ``browser_page(path, width=400, scheme="dark")``.

    After the test none of what it opened may have said an error or asked another machine.
    """
    opened = []

    def open_page(place, width=1400, scheme="light", scripts=True) -> OpenedPage:
        opened.append(OpenedPage.of(browser, place, width, scheme, scripts))
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()
    for page in opened:
        page.check_quiet()


@pytest.fixture(params=[(400, "light"), (400, "dark"), (1400, "light"), (1400, "dark")], ids=str)
def look(request) -> dict:
    """How a page is looked at: ``browser_page(path, **look)``; a test that takes it runs for a
    telephone and a wide screen, light and dark."""
    return dict(zip(("width", "scheme"), request.param, strict=True))
