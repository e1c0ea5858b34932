"""The checks find what is wrong, or they would be worth nothing."""

import pytest

pytestmark = pytest.mark.browser

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Tea</title>
<meta name="viewport" content="width=device-width">{head}</head>
<body><main><h1>Tea</h1>{body}</main></body></html>"""


@pytest.fixture
def opened(browser_page, tmp_path):
    def open_page(body="", head=""):
        (tmp_path / "page.html").write_text(PAGE.format(body=body, head=head))
        return browser_page(tmp_path / "page.html")

    return open_page


def test_a_sound_page_passes(opened):
    opened('<p id="here">Leaves <a href="#here">here</a></p>').check_sound()


def test_errors_and_requests_are_seen(opened):
    page = opened(
        "<script>console.error('cold'); missing()</script>",
        '<link rel="stylesheet" href="https://example.org/style.css">',
    )
    assert {"cold", "missing is not defined"} <= set(page.errors)
    assert page.elsewhere == ["https://example.org/style.css"]
    page.errors.clear()
    page.elsewhere.clear()


@pytest.mark.parametrize(
    ("body", "check", "finding"),
    [
        ('<div style="width: 1500px">wide</div>', "sideways", None),
        ("<table hidden><tr><td>1</td></tr></table>", "invisible", "<table"),
        ('<a href="#nowhere">x</a>', "dead_links", "#nowhere"),
        ('<svg><text y="20">one</text><text y="22">two</text></svg>', "overlaps", "one / two"),
        ('<p style="color: #bbb; background: #fff">pale</p>', "violations", "color-contrast"),
        ("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "violations", "image-alt"),
    ],
)
def test_what_is_wrong_is_found(opened, body, check, finding):
    found = getattr(opened(body), check)()
    assert found > 0 if finding is None else finding in found[0]
