"""Which column of a source is the user, which the item: named by people, or guessed."""

import dataclasses
from collections.abc import Iterable, Mapping

from tf_iclrec.errors import UserError

# In place of a name: to be guessed.
GUESS = "?"
# How the public logs of the field call their columns, without case, dashes and underscores; first
# the library's own name.
_USUAL = {
    "user": (
        *("userid", "user", "uid", "reviewerid", "customerid", "customer", "householdid"),
        *("visitorid", "memberid", "accountid", "sessionid"),
    ),
    "item": (
        *("itemid", "item", "iid", "parentasin", "asin", "productid", "product", "movieid"),
        *("businessid", "articleid", "trackid", "videoid", "songid", "streamid", "sku"),
    ),
    "time": (
        *("timestamp", "time", "unixreviewtime", "datetime", "date", "eventtime", "createdat"),
        *("transactiontimestamp", "ts", "timems"),
    ),
    "rating": ("rating", "overall", "stars", "score"),
    "provider": ("provider",),
    "title": (
        *("title", "itemtitle", "movietitle", "producttitle", "name", "itemname", "productname"),
        *("productdescription", "itemdescription"),
    ),
}
# In Amazon's reviews of 2023 the product and its variant.
_PRODUCT, _VARIANT = "parentasin", "asin"
_NAMES = {role: f"{role}_id" for role in ("user", "item")} | {"time": "timestamp"}
_OPTIONS = {
    "user": "--user-column",
    "item": "--item-column",
    "time": "--time-column",
    "rating": "--rating-column",
    "provider": "--provider-column",
    "title": "--title-column",
}


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a log that are read.

    Attributes:
        user: Who.
        item: With what.
        time: When.
        rating: How much it was liked; ``""`` = not read.
        provider: Who offered it; ``""`` = there is no such column.
    """

    user: str
    item: str
    time: str
    rating: str = ""
    provider: str = ""

    def read(self) -> dict[str, str]:
        """The columns that are read, by role."""
        return {role: name for role, name in dataclasses.asdict(self).items() if name}


def choose_columns(names: Iterable[str], given: Mapping[str, str], source: str) -> Columns:
    """The columns to read.

    Args:
        names: All columns that there are.
        given: Names that were given, by role; ``""`` = to be guessed. A rating is read only where
            its name is given, or `GUESS`.
        source: How to call the source.

    Raises:
        UserError: If a column is missing, there are several candidates, or one is given two roles.

    Example:
    >>> choose_columns(["userId", "movieId", "timestamp"], {}, "log.csv")
    Columns(user='userId', item='movieId', time='timestamp', rating='', provider='')
    """
    names = list(names)
    chosen = {
        role: choose_column(role, names, given.get(role, ""), source)
        for role in ("user", "item", "time")
    }
    if len({*chosen.values()}) < len(chosen):
        raise UserError(
            f"User, item and time need a column each; of {source} they are "
            f"{', '.join(chosen.values())}."
        )
    if given.get("rating"):
        chosen["rating"] = choose_column("rating", names, given["rating"], source)
    # Otherwise it may be a column of the table of items.
    provider = given.get("provider") or _USUAL["provider"][0]
    chosen["provider"] = provider if provider in names else ""
    return Columns(**chosen)


def candidates(role: str, names: Iterable[str]) -> list[str]:
    """The columns that may have a role, by their names: only the one of the library's own name
    where there is one, however it is written.

    Example:
    >>> candidates("item", ["asin", "product"]), candidates("item", ["asin", "item_id"])
    (['asin', 'product'], ['item_id'])
    """
    usual = _USUAL[role]
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
    if own := found.get(usual[0]):
        exact = _NAMES.get(role, role)
        return [exact] if exact in own else own
    if _PRODUCT in found:
        found.pop(_VARIANT, None)
    return [name for key in usual for name in found.get(key, [])]


def named_or_guessed(role: str, names: Iterable[str], named: str) -> str:
    """A column of another table as it is named there; ``""``, to be guessed, if a column looks like
    the role and none has the name.

    Example:
    >>> named_or_guessed("item", ["item_id"], "sku"), named_or_guessed("item", ["what"], "sku")
    ('', 'sku')
    """
    names = list(names)
    return "" if named not in names and candidates(role, names) else named


def choose_column(role: str, names: Iterable[str], given: str, source: str) -> str:
    """The column of a role: the one that is given, or the only one that looks like it.

    Raises:
        UserError: If it is missing, or there are several candidates.
    """
    names, wanted = list(names), given.removeprefix(GUESS)
    if wanted in names:
        return wanted
    found = [] if wanted else candidates(role, names)
    if len(found) == 1:
        return found[0]
    what = f"No column {wanted!r}" if wanted else f"No column looks like the {role}"
    if found:
        what = f"Several columns look like the {role}, {', '.join(found)},"
    raise UserError(
        f"{what} in {source}. Columns there are: {', '.join(names)}. Name yours with "
        f"{_OPTIONS[role]}, rename it to {_NAMES.get(role, role)}, or name the columns of a table "
        "that has no line of names with --header."
    )


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
