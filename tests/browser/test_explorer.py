"""The page in which a run is tried, used as people use it."""

import contextlib
import dataclasses
import importlib
import re
import threading
from urllib.parse import unquote_plus

import pytest

from tf_iclrec import make_config, recommend
from tf_iclrec.explorer.explorer import Explorer

from ..explorer.shop import shop_log, shop_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run():
    return shop_run(shop_log())


@pytest.fixture(scope="module")
def address(run):
    explorer = Explorer(run, "shop")
    explorer.warm_up()
    with served(explorer) as address:
        yield address


@contextlib.contextmanager
def served(explorer):
    """The address of an explorer's page."""
    pytest.importorskip("uvicorn", reason="needs the extra: explore")
    server = importlib.import_module("tf_iclrec.explorer.server")
    with server.listening(0) as listener:
        running = server.server_of(explorer)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        yield "http://{}:{}".format(*listener.getsockname())
        running.should_exit = True
        thread.join(timeout=30)


class Visitor:
    """A person at the page, who waits for answers."""

    def __init__(self, opened):
        self.opened, self.page = opened, opened.page
        self.wait()

    def wait(self):
        self.page.locator("#recommended[aria-busy=false]").wait_for(state="attached")

    def choose(self, field, text, option):
        """Types into a field and takes a suggestion, by the keyboard."""
        box = self.page.get_by_role("combobox", name=field, exact=True)
        box.fill(text)
        beginning = re.escape(option).replace("/", r"\/")
        wanted = self.page.get_by_role("option", name=re.compile(rf"^{beginning}"))
        wanted.wait_for()
        while wanted.get_attribute("aria-selected") != "true":
            box.press("ArrowDown")
        box.press("Enter")
        self.wait()

    def click(self, name, inside="main"):
        self.page.locator(inside).get_by_role("button", name=name).first.click()
        self.wait()

    def ids(self, inside="#recommended"):
        rows = self.page.locator(f"{inside} > li")
        return rows.evaluate_all("rows => rows.map(row => row.dataset.id)")

    def says(self, place="#status"):
        return self.page.locator(place).inner_text()

    def focused(self):
        return self.page.evaluate("document.activeElement.getAttribute('aria-label')")


@pytest.fixture
def visit(browser_page, address):
    return lambda path="/", **look: Visitor(browser_page(address + path, **look))


def expected(run, history, **asked):
    return recommend(run, [history], **asked)["item_id"].tolist()


def test_a_user_whose_history_is_changed(visit, run):
    at = visit()
    assert at.says("h1") == "shop"
    assert "Nothing is known of an empty history" in at.says()
    log = run.interactions
    user, rows = log.users[9], slice(*log.offsets[9:11])
    history = log.items.decode(log.item_ids[rows]).tolist()
    at.choose("Pick a user", user, f"{user} ")
    assert at.ids("#history") == history[::-1]
    assert at.says("#whose").startswith(f"User {user}: {len(history)} items")
    before = at.ids()
    assert before == recommend(run, user_ids=[user])["item_id"].tolist()

    newcomer = next(item for item in log.items.ids[:40] if item not in history)
    at.choose("Add an item", f"tea <B>{newcomer}<", f"Tea <b>{newcomer}</b>")
    history.append(newcomer)
    assert at.ids("#history") == history[::-1]
    after = at.ids()
    assert after == expected(run, history) != before
    fresh = len(set(after) - set(before))
    assert f"{fresh or 'None'} of them new" in at.says()
    assert at.page.locator(".moved.new").count() == fresh

    at.click("Remove", "#history")
    # The next one of the list has the focus.
    assert at.focused().startswith("Remove ")
    history.pop()
    assert (at.ids("#history"), at.ids()) == (history[::-1], before)

    best = at.ids()[0]
    at.click("Add", "#recommended")
    assert at.ids("#history")[0] == best
    at.page.reload()
    at.wait()
    assert at.ids("#history") == [best, *history[::-1]]
    with at.page.expect_response("**/api/recommend"):
        at.page.go_back()
    at.page.wait_for_function(
        "count => document.getElementById('history').children.length === count", arg=len(history)
    )


def test_reasons_stand_below_what_they_explain(visit, run):
    found = recommend(run, [["7", "12", "23"]], because=3)
    at = visit("/#item=7&item=12&item=23")
    texts = at.page.locator("#recommended .because").all_inner_texts()
    titles = {item: f"Tea <b>{item}</b>" for item in run.interactions.items.ids[:40]}
    assert any(map(len, found["because"]))
    for text, reasons in zip(texts, found["because"], strict=True):
        assert bool(text) == bool(len(reasons))
        for reason in reasons:
            item = reason["item_id"]
            assert f"{titles.get(item, item)} (\N{MINUS SIGN}" in text
            assert reason["provider"] is None or f"same provider {reason['provider']}" in text


def test_filters_and_the_length_of_the_list(visit, run):
    at = visit("/#item=7")
    at.page.get_by_label("Filter by").select_option("provider")
    at.choose("Value", "BRAND 3", "brand 3")
    assert at.ids() == expected(run, ["7"], only={"provider": ["brand 3"]})
    at.page.get_by_label("Kind of filter").select_option("without")
    at.page.get_by_label("Filter by").select_option("kind")
    at.choose("Value", "3", "3 ")
    filters = {"only": {"provider": ["brand 3"]}, "without": {"kind": ["3"]}}
    assert at.ids() == expected(run, ["7"], **filters)
    assert "only=provider=brand 3&without=kind=3" in unquote_plus(at.page.url)
    at.page.reload()
    at.wait()
    assert at.ids() == expected(run, ["7"], **filters)
    at.click("Remove the filter: only provider brand 3")
    at.click("Remove the filter: without kind 3")
    at.page.get_by_label("How many").select_option("5")
    at.page.get_by_label("Also items of the history").check()
    at.wait()
    assert at.ids() == expected(run, ["7"], k=5, filter_seen=False)


def test_items_of_the_history_are_there_where_the_run_was_evaluated_with_them(browser_page, run):
    config = make_config(run.config.model, filter_seen=False)
    with served(Explorer(dataclasses.replace(run, config=config), "shop")) as address:
        at = Visitor(browser_page(address + "/#item=7"))
        box = at.page.get_by_label("Also items of the history")
        assert box.is_checked()
        assert at.ids() == expected(run, ["7"], filter_seen=False)
        box.uncheck()
        at.wait()
        assert at.page.url.endswith("#item=7&seen=no")
        assert at.ids() == expected(run, ["7"])


def test_diversity(visit, run):
    at = visit("/#item=7")
    slider = at.page.get_by_label("How much items should differ")
    for strength in (0.05, 0.1):
        slider.press("ArrowRight")
        at.wait()
        wanted = expected(run, ["7"], diversity=strength, diversify="intents")
        at.page.wait_for_function("text => location.hash.includes(text)", arg=f"={strength}")
        assert at.ids() == wanted
    slider.press("End")
    at.wait()
    at.page.get_by_label("In their").select_option("providers")
    at.wait()
    assert at.ids() == expected(run, ["7"], diversity=1, diversify="providers") != wanted
    at.page.reload()
    at.wait()
    assert (slider.input_value(), at.ids() == wanted) == ("1", False)


def test_similar_items(visit):
    at = visit("/#item=7")
    at.click("Similar", "#history")
    dialog = at.page.get_by_role("dialog", name="Similar to Tea <b>7</b>")
    dialog.wait_for()
    found = at.ids("#similar-items")
    assert len(found) == 20
    at.click("Add", "dialog")
    dialog.wait_for(state="hidden")
    assert at.ids("#history") == [found[0], "7"]


def test_intents(visit, run):
    at = visit("/#item=7")
    at.click("Open intent", "#closest-intents")
    heading = at.page.locator("#intent h3")
    heading.wait_for()
    closest = heading.inner_text()
    assert at.page.locator("#all-intents tbody tr").count() == 4
    assert at.page.locator("tr[aria-current]").inner_text().startswith(closest)
    at.page.locator("#intent").get_by_role("button", name="Open intent").first.click()
    at.page.wait_for_function(
        "last => document.querySelector('#intent h3').textContent !== last", arg=closest
    )
    at.click("Take the history of user", "#intent")
    assert at.says("#whose").startswith("User ")
    at.page.get_by_role("link", name="Intents").click()
    heading.wait_for()


def test_the_keyboard_alone(visit):
    at = visit()
    box = at.page.get_by_role("combobox", name="Add an item")
    box.focus()
    box.press("ArrowDown")
    at.page.get_by_role("option").first.wait_for()
    box.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    box.fill("no such item")
    at.page.get_by_text("Nothing is called so.").wait_for()
    # The first suggestion, without one being chosen.
    box.fill("12")
    box.press("Enter")
    at.page.locator("#history > li").wait_for()
    assert at.ids("#history") == ["12"]


def test_what_goes_wrong_is_said(visit):
    at = visit("/#item=gin")
    assert at.says() == "Item 'gin' is not in the data."
    # The browser writes each refused request to its console.
    assert all("400" in error for error in at.opened.errors)
    at.opened.errors.clear()


def test_it_is_sound_wherever_it_is_looked_at(visit, look):
    at = visit("/#item=7&item=12&only=provider=brand 1", **look)
    at.opened.check_sound()
    at.page.get_by_role("combobox", name="Add an item").fill("1")
    at.page.get_by_role("option").first.wait_for()
    at.opened.check_sound()
    at.page.keyboard.press("Escape")
    at.click("Similar", "#recommended")
    at.page.get_by_role("dialog").wait_for()
    at.opened.check_sound()
    at.click("Close", "dialog")
    at.page.get_by_role("link", name="Intents").click()
    at.page.locator("#intent h3").wait_for()
    at.opened.check_sound()
