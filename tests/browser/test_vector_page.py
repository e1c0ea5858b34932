"""The page about vectors of users, in a browser."""

import numpy as np
import pytest

from tf_iclrec.analysis.vectors.structure import Structure
from tf_iclrec.reports.vector_page import MappedVectors, write_vector_page

pytestmark = pytest.mark.browser

EVIL = "<script>alert('&\"')</script>"


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    names = np.array([EVIL, "tea", "jam", *(f"value {number}" for number in range(9))])
    places = {kind: rng.normal(size=(80, 2)) for kind in ("last", "mean")}
    mapped = MappedVectors(rng.integers(len(names), size=80), names, places)
    one = Structure(80, 12, -0.123, 0.4, 0.1)
    found = {"last": one, "mean": one}
    path = tmp_path / "vectors.html"
    write_vector_page(
        path, "category", 10, {"first": found, "second": found}, {"first": mapped, "second": mapped}
    )
    return path


def test_it_is_sound(path, look, browser_page):
    opened = browser_page(path, **look)
    opened.check_sound()
    text = opened.page.inner_text("main")
    assert EVIL in text
    assert "-0.123" in text
    assert opened.page.locator("svg.clouds").count() == 4
