"""Take the README's picture of a run's page: ``python docs/picture.py RUN/report.html``.

Needs the extra ``browser``, and Chromium or Chrome on the path.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "_static" / "report.png"
# The most important figures, the metrics, and the map of the intents.
_WIDTH, _LAST_SECTION = 1200, "#intents figure"


def main(arguments: Sequence[str] | None = None) -> None:
    """Open a page in a browser and take its upper part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="the page of a run with intents")
    parser.add_argument("--output", type=Path, default=PICTURE, help="the picture to write")
    values = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        page = browser.new_page(viewport={"width": _WIDTH, "height": 900}, color_scheme="light")
        page.goto(values.page.resolve().as_uri())
        last = page.locator(_LAST_SECTION).bounding_box()
        size = {"width": _WIDTH, "height": last["y"] + last["height"] + 16}
        page.screenshot(path=values.output, full_page=True, clip={"x": 0, "y": 0, **size})
        browser.close()
    print(f"Picture: {values.output}")


if __name__ == "__main__":
    main()
