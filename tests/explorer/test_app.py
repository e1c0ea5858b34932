import json
import re
import socket

import pytest

from tf_iclrec import recommend
from tf_iclrec.explorer.app import explorer_app
from tf_iclrec.explorer.server import listening

from .asgi_client import request


@pytest.fixture(scope="module")
def app(explorer):
    return explorer_app(explorer)


@pytest.fixture(scope="module")
def ask(app):
    return lambda path, **kwargs: request(app, path, **kwargs)


@pytest.fixture(scope="module")
def post(ask):
    return lambda asked: ask("/api/recommend", method="POST", body=json.dumps(asked).encode())


def test_recommendations_are_those_of_recommend_to_the_last_bit(post, run):
    expected = recommend(run, [["7", "12"]], k=9, only={"provider": ["brand 1"]})
    answer = post({"history": ["7", "12"], "k": 9, "only": {"provider": ["brand 1"]}})
    assert answer.status == 200
    items = answer.json()["items"]
    assert [item["id"] for item in items] == expected["item_id"].tolist()
    assert [item["score"] for item in items] == expected["score"].tolist()


def test_every_question_has_an_answer(ask, explorer, log):
    user = log.users[3]
    assert ask("/api/run").json() == explorer.facts()
    assert ask("/api/items?q=tea+%3Cb%3E12").json() == explorer.find_items("tea <b>12")
    assert ask(f"/api/users?q={user}").json() == explorer.find_users(user)
    assert ask("/api/some-user").json()["id"] in log.users
    assert ask("/api/values?name=kind&q=3").json() == explorer.find_values("kind", "3")
    assert ask("/api/similar?item=12").json() == explorer.similar("12")
    assert ask("/api/intents").json() == explorer.intents.overview()
    assert ask("/api/intent?id=2").json() == explorer.intents.card("2")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"history": ["gin"]}, "Item 'gin' is not in the data."),
        ({"history": "12"}, "'history' must be a list of texts."),
        ({"history": [12]}, "'history' must be a list of texts."),
        ({"user": 3}, "'user' must be a text."),
        ({"user": "1", "history": ["1"]}, "Ask for a user or for a history, not for both."),
        ({"history": ["\ud800"]}, "'history' must be a list of texts."),
        ({"only": {"\ud800": []}}, "'only' must be lists of texts by name."),
        ({"diversity": 10**400}, "diversity must be from 0, for the plain list, to 1, not 10000"),
        ({"k": 0}, "k must be from 1 to 60, the number of items, not 0."),
        ({"k": True}, "'k' must be a whole number."),
        ({"diversity": 2}, "diversity must be from 0, for the plain list, to 1, not 2."),
        ({"because": 10**9}, "because must be 0, for no reasons, or how many, at most 1000, not 1"),
        ({"diversity": "0.5"}, "'diversity' must be a number."),
        ({"only": {"kind": "3"}}, "'only' must be lists of texts by name."),
        ({"only": {"color": ["red"]}}, "Items can't be told by 'color': what is known of them is "),
        ({"histories": []}, "There is no 'histories' to ask for: did you mean 'history'?"),
        ([], "The request must be a JSON object."),
    ],
    ids=str,
)
def test_bad_requests_get_a_sentence(post, asked, sentence):
    answer = post(asked)
    assert answer.status == 400
    assert answer.json()["error"].startswith(sentence)


def test_what_is_no_json_and_what_is_not_there(ask):
    answer = ask("/api/recommend", method="POST", body=b"{")
    assert (answer.status, answer.json()["error"]) == (400, "The request is not JSON.")
    assert ask("/api/similar").json()["error"] == "Item '' is not in the data."
    assert ask("/api/similar").status == 400
    assert ask("/api/recommend").status == 405
    assert ask("/app.py").status == ask("/../app.py").status == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_other_names_of_this_machine_are_refused(ask, host):
    """Or a page elsewhere could have its own name lead here, and read the answers."""
    for path in ("/", "/api/run"):
        answer = ask(path, host=host)
        assert (answer.status, answer.body) == (400, b"Invalid host header")
    assert ask("/api/run", host="localhost:8123").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
    ],
    ids=str,
)
def test_pages_elsewhere_are_not_answered(ask, headers):
    """Text is sent without asking first whether it may be."""
    asked = {"method": "POST", "body": b'{"history": ["7"], "k": 1}', "content_type": "text/plain"}
    for path, kwargs in (("/api/recommend", asked), ("/api/run", {})):
        answer = ask(path, **kwargs, **headers)
        sentence = "A page elsewhere asks: only this machine's own page is answered."
        assert (answer.status, answer.json()) == (403, {"error": sentence})
    # A link to the page may stand anywhere.
    assert ask("/", **headers).status == 200
    own = {"origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"}
    assert ask("/api/recommend", **asked, **own).status == 200


def test_the_page_loads_nothing_from_elsewhere_and_is_framed_by_none(ask):
    page = ask("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    linked = re.findall(r'(?:src|href)="([^"]*)"', page.body.decode())
    assert {"/explorer.js", "/explorer.css", "/style.css", "/icon.svg"} <= set(linked)
    for path in linked:
        assert path.startswith("/")
        assert ask(path).status == 200
    for answer in (page, ask("/api/run"), ask("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask("/explorer.js").headers["content-type"].startswith("text/javascript")


def test_short_answers_do_not_wait():
    """Of a socket without its protocol asyncio leaves Nagle's algorithm on: 40 ms an answer."""
    with listening(0) as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == client.proto == socket.IPPROTO_TCP


def test_texts_become_no_markup(ask):
    for name in ("explorer", "intents", "items", "combobox", "elements", "server"):
        script = ask(f"/{name}.js").body.decode()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script
        )
