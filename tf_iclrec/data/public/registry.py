"""Public logs, by the name that stands before the path: ``--data tmall:FOLDER``."""

from collections.abc import Callable
from pathlib import Path

from tf_iclrec.data.public.movielens import movielens
from tf_iclrec.data.public.public_log import PublicLog
from tf_iclrec.data.public.tmall import tmall
from tf_iclrec.data.public.twitch import twitch
from tf_iclrec.data.public.wechat import wechat

PUBLIC_LOGS: dict[str, Callable[[Path], PublicLog]] = {
    "movielens": movielens,
    "tmall": tmall,
    "twitch": twitch,
    "wechat": wechat,
}


def split_name(name: str) -> tuple[str, str]:
    """The name of a public log and its path; ``""`` and all of it, if it names none.

    Example:
    >>> split_name("tmall:raw"), split_name("raw/log.csv")
    (('tmall', 'raw'), ('', 'raw/log.csv'))
    """
    known, _, path = name.partition(":")
    return (known, path) if path and known in PUBLIC_LOGS else ("", name)
