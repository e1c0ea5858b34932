"""Requests for recommendations, checked."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tf_iclrec.errors import UserError, nearest


class _Kind(NamedTuple):
    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    # JSON can escape halves of a character, which no text of the data has.
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_values(value: Any) -> bool:
    return isinstance(value, dict) and _is_texts([*value]) and all(map(_is_texts, value.values()))


_TEXT = _Kind("a text", _is_text)
_TEXTS = _Kind("a list of texts", _is_texts)
_VALUES = _Kind("lists of texts by name", _is_values)
_COUNT = _Kind("a whole number", lambda value: type(value) is int)
_NUMBER = _Kind("a number", lambda value: type(value) in (int, float))
_FLAG = _Kind("true or false", lambda value: isinstance(value, bool))

_ASKED = {
    "user": _TEXT,
    "history": _TEXTS,
    "k": _COUNT,
    "filter_seen": _FLAG,
    "exclude": _TEXTS,
    "only": _VALUES,
    "without": _VALUES,
    "diversity": _NUMBER,
    "diversify": _TEXT,
    "because": _COUNT,
}


def parse_request(body: bytes) -> dict[str, Any]:
    """A request of the page as arguments of `Explorer.recommend`.

    Args:
        body: A JSON object.

    Raises:
        UserError: If it is none, or names what is not known or of another kind.

    Example:
    >>> parse_request(b'{"history": ["tea"], "k": 5}')
    {'history': ['tea'], 'k': 5}
    """
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise UserError("The request is not JSON.") from error
    if not isinstance(asked, dict):
        raise UserError("The request must be a JSON object.")
    for name, value in asked.items():
        if name not in _ASKED:
            raise UserError(f"There is no {name!r} to ask for: {nearest(name, _ASKED)}")
        if not _ASKED[name].fits(value):
            raise UserError(f"{name!r} must be {_ASKED[name].words}.")
    return asked
